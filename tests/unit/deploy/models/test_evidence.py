"""A version is promoted on labels: better or no worse suffices, too few or worse does not."""

import random

import pytest

from deploy.models.evidence import ENOUGH, auc, compare, suffices
from schemas.outputs import Example


def example(target: str, label: bool, bert: float | None, shadow: float | None, versions: tuple[str, str]) -> Example:
    return Example(
        id="e",
        customer="ann",
        at=0,
        matured=1,
        target=target,
        label=label,
        features={},
        story="",
        served=0.5,
        bert=bert,
        online=0.5,
        shadow=shadow,
        models=dict(zip(("bert", "shadow"), versions, strict=True)),
    )


def trial(noise: float, count: int = 4 * ENOUGH) -> list[Example]:
    """Labels by chance from true probabilities; the candidate adds noise to them, the serving version does not."""
    chance = random.Random(7)
    examples = []
    for _ in range(count):
        truth = chance.uniform(0.05, 0.95)
        told = min(0.99, max(0.01, truth + chance.uniform(-noise, noise)))
        examples.append(example("churn", chance.random() < truth, truth, told, ("old", "new")))
    return examples


@pytest.mark.parametrize(("noise", "verdict"), [(0.01, "good"), (0.6, "worse")])
def test_the_verdict_follows_the_log_loss(noise: float, verdict: str) -> None:
    found = compare(trial(noise), "old", "new")
    assert found["churn"]["verdict"] == verdict
    assert suffices(found) is (verdict == "good")


def test_few_labels_say_nothing() -> None:
    found = compare(trial(0.0, ENOUGH - 1), "old", "new")
    assert found["churn"]["verdict"] == "early"
    assert not suffices(found)
    assert not suffices({})


def test_only_predictions_of_these_two_versions_count() -> None:
    others = [example("churn", True, 0.5, 0.5, ("older", "new")), example("churn", True, None, 0.5, ("old", "new"))]
    assert compare(others, "old", "new") == {}


def test_one_that_is_worse_on_one_target_is_not_promoted() -> None:
    assert not suffices({"churn": {"verdict": "good"}, "intent": {"verdict": "worse"}})
    assert suffices({"churn": {"verdict": "good"}, "intent": {"verdict": "early"}})


def test_auc_counts_the_pairs_in_order_and_shares_ties() -> None:
    import numpy as np

    labels = np.array([0.0, 0.0, 1.0, 1.0])
    assert auc(labels, np.array([0.1, 0.4, 0.4, 0.8])) == 0.875
    assert auc(np.ones(3), np.ones(3)) is None
