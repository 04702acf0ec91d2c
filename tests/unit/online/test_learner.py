"""The online model and the ensemble learn what is there to learn, and refuse what is not theirs."""

import random
from typing import Any

import pytest

from online.ensemble import EXPERIENCED, FIRST, PRIOR, Ensemble
from online.learner import OnlineModel
from online.metrics import roc_auc
from schemas.outputs import Example, Features, Parts


def make_example(
    target: str, label: bool, features: Features, bert: float | None = None, online: float | None = None
) -> Example:
    return Example(
        id="e", customer="c", at=0, matured=1, target=target, label=label, features=features, story="", served=0.5,
        bert=bert, online=online,
    )  # fmt: skip


def shop(seed: int, n: int) -> list[tuple[Features, bool]]:
    """Customers who churn the more surely the longer they have been silent; some have never ordered."""
    rng = random.Random(seed)
    found: list[tuple[Features, bool]] = []
    for _ in range(n):
        days = rng.expovariate(1 / 20) if rng.random() < 0.8 else None
        p = 0.9 if days is None else min(0.95, days / 40)
        found.append(
            (
                {"days_since_order": days, "orders_30d": float(rng.randrange(4)), "hour": 24 * rng.random()},
                rng.random() < p,
            )
        )
    return found


def test_a_fresh_model_does_not_know() -> None:
    assert OnlineModel().predict_one({"orders_30d": 9.0}) == Parts(churn=0.5, intent=0.5)
    assert OnlineModel().explain_one({"orders_30d": 9.0}, "churn") == []


def test_it_learns_the_silence_from_300_customers_and_says_so() -> None:
    model = OnlineModel()
    for features, label in shop(1, 300):
        model.learn_one(make_example("churn", label, features))
    test = shop(2, 500)
    auc = roc_auc([label for _, label in test], [model.predict_one(features).churn for features, _ in test])
    assert auc is not None
    assert auc > 0.8
    assert model.learned == {"churn": 300, "intent": 0, "value": 0}
    assert model.predict_one(test[0][0]).intent == 0.5
    (top, *_) = model.explain_one({"days_since_order": 90.0, "orders_30d": 1.0, "hour": 3.0}, "churn")
    assert (top.feature, top.value, top.words) == ("days_since_order", 90.0, "90 days since the last order")
    assert top.weight > 0


def test_one_absurd_example_moves_the_score_little() -> None:
    model = OnlineModel()
    for features, label in shop(1, 300):
        model.learn_one(make_example("churn", label, features))
    usual: Features = {"days_since_order": 20.0, "orders_30d": 1.0, "hour": 12.0}
    before = model.predict_one(usual).churn
    model.learn_one(make_example("churn", True, {"days_since_order": 1e300, "orders_30d": 1e300, "hour": 1e9}))
    assert abs(model.predict_one(usual).churn - before) < 0.05


def test_a_target_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no target 'sentiment'"):
        OnlineModel().learn_one(make_example("sentiment", True, {}))


def good() -> dict[str, Any]:
    model = OnlineModel()
    for features, label in shop(1, 40):
        model.learn_one(make_example("churn", label, features))
    return model.dump()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(format=1), "format 2"),
        (lambda s: s["targets"].pop("intent"), "churn and intent"),
        (lambda s: s["targets"]["churn"].update(extra=1), "unknown field"),
        (lambda s: s["targets"]["churn"]["weights"].update(newton=-1.0), "weights"),
        (lambda s: s["targets"]["churn"]["linear"].update(learned=-1), "negative"),
        (lambda s: s["targets"]["churn"]["linear"]["weights"].update(orders_30d=float("nan")), "not finite"),
        (lambda s: s["targets"]["churn"]["newton"].update(learned="7"), "Expected `int`"),
        (lambda s: s["targets"]["churn"]["newton"]["weights"].update(made_up=1.0), "unknown inputs: made_up"),
        (lambda s: s["targets"]["churn"]["newton"]["weights"].update(orders_30d=float("nan")), "not finite"),
        (lambda s: s["targets"]["churn"]["newton"]["weights"].update(views_1h=1.0), "bytes"),
        (lambda s: s["targets"]["churn"]["newton"]["scales"].update(orders_30d=[3, 0.0, -1.0]), "negative"),
        (
            lambda s: s["targets"]["churn"]["newton"]["scales"].update(orders_7d="__import__('os')"),
            "Expected `array`",
        ),
        (lambda s: s["targets"]["churn"]["newton"].update(spread="AAAA"), "covariance"),
        (lambda s: s["targets"]["churn"]["forest"]["trees"][0].update(child=[0, 0, 0]), "tree"),
        (lambda s: s["targets"]["churn"]["forest"]["trees"][0].update(child=[1, 1, 1]), "tree"),
        (lambda s: s["targets"]["churn"]["forest"]["trees"][0].update(mass="////////"), "mass"),
        (lambda s: s["amount"].update(spent=float("inf")), "amounts"),
    ],
)
def test_a_snapshot_that_is_broken_or_hostile_is_refused(change: Any, message: str) -> None:
    state = good()
    OnlineModel.load(state)
    change(state)
    with pytest.raises(ValueError, match=message):
        OnlineModel.load(state)


@pytest.mark.parametrize("state", [None, [], "x", {}, {"format": 1}, {"format": 1, "targets": []}])
def test_what_is_no_snapshot_is_refused(state: object) -> None:
    with pytest.raises(ValueError, match="online model"):
        OnlineModel.load(state)


def test_bert_is_believed_more_until_the_online_model_has_learned() -> None:
    ensemble, weights = Ensemble(), []
    assert ensemble.bert_weight == FIRST
    assert 0.5 < ensemble.combine(0.9, 0.1) < 0.9
    for _ in range(EXPERIENCED):
        ensemble.learn_one(make_example("churn", True, {}, bert=None, online=None))
        weights.append(ensemble.bert_weight)
    assert weights == sorted(weights, reverse=True)
    assert ensemble.bert_weight == pytest.approx(PRIOR)
    assert ensemble.combine(0.9, 0.1) == pytest.approx(0.5)


@pytest.mark.parametrize("better", ["bert", "online"])
def test_the_weight_goes_to_the_source_that_is_right(better: str) -> None:
    rng = random.Random(3)
    ensemble = Ensemble()
    for _ in range(2_000):
        label = rng.random() < 0.5
        right, noise = (0.85 if label else 0.15), rng.uniform(0.05, 0.95)
        bert, online = (right, noise) if better == "bert" else (noise, right)
        ensemble.learn_one(make_example("churn", label, {}, bert=bert, online=online))
    assert ensemble.bert_weight > 0.9 if better == "bert" else ensemble.bert_weight < 0.1


def test_no_source_is_no_knowledge() -> None:
    assert Ensemble().combine(None, None) == 0.5
    assert Ensemble().combine(0.8, None) == 0.8


@pytest.mark.parametrize("state", [None, {"learned": -1, "bert": 0.5}, {"learned": 1, "bert": 1.5}, {"learned": 1}])
def test_an_ensemble_state_that_is_none(state: object) -> None:
    with pytest.raises(ValueError, match="ensemble"):
        Ensemble.load(state)
