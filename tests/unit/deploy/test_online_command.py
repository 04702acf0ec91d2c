"""`footfall online` tells who serves and what led to it."""

import io
import random

from rich.console import Console

from deploy.commands.online import show, told
from online.state import Learner
from schemas.outputs import Example


def learner() -> Learner:
    """One to whom BERT has shown that it knows better than the ensemble, which serves."""
    rng, made = random.Random(4), Learner()
    for number in range(2_000):
        label = rng.random() < 0.4
        knows = rng.uniform(0.8, 0.95) if label else rng.uniform(0.05, 0.2)
        guesses = 0.55 if label else 0.45
        made.learn_one(
            Example(
                id=f"e-{number}", customer="c", at=number, matured=number, target="churn", label=label,
                features={"orders_30d": 1.0}, story="", served=guesses, bert=knows, online=guesses,
                learners={"ensemble": guesses},
            )
        )  # fmt: skip
    return made


def test_the_champion_its_evidence_and_the_metrics_are_told() -> None:
    made = learner()
    found = told(made.snapshot(offset=2_000, at=5), made)
    churn, intent = found["targets"]["churn"], found["targets"]["intent"]
    assert churn["champion"] == "bert"
    (change,) = churn["changes"]
    assert (change["what"], change["before"], change["after"]) == ("swap", "ensemble", "bert")
    assert change["gain"] > change["bound"] > 0
    assert churn["metrics"]["bert"]["auc"] == 1.0 > churn["metrics"]["served"]["brier"]
    assert (intent["champion"], intent["changes"]) == ("ensemble", [])
    assert found["learned"]["churn"] == 2_000


def test_people_read_the_same() -> None:
    made, out = learner(), io.StringIO()
    show(Console(file=out, width=160), told(made.snapshot(offset=2_000, at=5), made))
    text = out.getvalue()
    assert "churn: bert serves" in text
    assert "swap: ensemble → bert after" in text
    assert "Nobody has taken over yet." in text


def test_reasons_follow_who_serves() -> None:
    made = learner()
    assert made.bert_share("churn") == 1.0
    assert made.bert_share("intent") == made.ensembles["intent"].bert_weight
