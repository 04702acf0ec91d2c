"""Metrics, drift and the learner's snapshots."""

import math
import random

import msgspec
import pytest

from online.drift import Drift
from online.metrics import Rolling, log_loss, recency, roc_auc
from online.state import Learner
from schemas.outputs import Example, Features


def make_example(
    label: bool, served: float, target: str = "churn", bert: float | None = None, features: Features | None = None
) -> Example:
    return Example(
        id="e", customer="c", at=0, matured=1, target=target, label=label, features=features or {}, story="",
        served=served, bert=bert, online=served,
    )  # fmt: skip


def test_metrics_of_four_examples_by_hand() -> None:
    rolling = Rolling()
    for label, served, days in [(True, 0.9, 60.0), (True, 0.4, 5.0), (False, 0.4, 15.0), (False, 0.1, None)]:
        rolling.learn_one(make_example(label, served, features={"days_since_order": days}))
    found = rolling.get()
    assert found["served.auc"] == 0.875
    assert found["served.brier"] == pytest.approx((0.01 + 0.36 + 0.16 + 0.01) / 4, abs=1e-4)
    assert found["served.log_loss"] == pytest.approx(-(2 * math.log(0.9) + math.log(0.4) + math.log(0.6)) / 4, abs=1e-4)
    assert found["recency.auc"] == 0.25
    assert (found["base_rate"], found["constant.auc"], found["constant.brier"]) == (0.5, 0.5, 0.25)
    assert found["constant.log_loss"] == pytest.approx(math.log(2))
    # BERT gave nothing: it has no metrics, rather than those of a guess.
    assert found["bert.n"] == 0
    assert "bert.auc" not in found


def test_one_class_has_no_auc() -> None:
    rolling = Rolling()
    rolling.learn_one(make_example(True, 0.9))
    assert "served.auc" not in rolling.get()
    assert roc_auc([], []) is None


def test_recency_is_the_rule_of_days_since_the_last_order() -> None:
    assert recency(make_example(True, 0.5, features={"days_since_order": 30.0})) == 0.5
    assert recency(make_example(True, 0.5, "intent", features={"days_since_order": 7.0})) == 0.5
    assert recency(make_example(True, 0.5, features={"days_since_order": None})) == 1.0
    assert recency(make_example(True, 0.5, "intent")) == 0.0


def test_a_certain_mistake_is_bounded() -> None:
    assert 11 < log_loss(True, 0.0) < 12
    assert log_loss(True, 1.0) < 1e-4


def test_drift_is_found_when_the_score_turns_bad_and_not_before() -> None:
    rng = random.Random(5)
    drift = Drift()
    for _ in range(1_000):
        label = rng.random() < 0.5
        drift.learn_one(make_example(label, 0.8 if label else 0.2))
    assert drift.detections == 0
    for _ in range(500):
        label = rng.random() < 0.5
        drift.learn_one(make_example(label, 0.2 if label else 0.8))
    assert drift.detections >= 1


def learned() -> Learner:
    learner = Learner()
    rng = random.Random(7)
    for n in range(50):
        label = rng.random() < 0.4
        learner.learn_one(
            make_example(
                label, 0.7 if label else 0.3, "churn" if n % 2 else "intent", 0.6, {"orders_30d": float(label)}
            )
        )
    return learner


def test_a_snapshot_names_its_version_and_metrics() -> None:
    snapshot = learned().snapshot(offset=50, at=1_700_000_000_000)
    assert (snapshot.name, snapshot.version, snapshot.offset) == ("online", "r50", 50)
    assert snapshot.metrics["churn.online.auc"] == 1.0
    assert snapshot.metrics["intent.learned"] == 25
    assert snapshot.metrics["churn.drift"] == 0
    assert all(math.isfinite(value) for value in snapshot.metrics.values())


@pytest.mark.parametrize(
    "change",
    [
        {"name": "bert"},
        {"version": "r9"},
        {"state": {}},
        {"state": learned().snapshot(0, 0).state | {"drift": {"churn": -1, "intent": 0}}},
        {"state": learned().snapshot(0, 0).state | {"rolling": {"churn": {}, "intent": {}}}},
        {"state": learned().snapshot(0, 0).state | {"ensembles": []}},
    ],
)
def test_what_is_no_snapshot_of_a_learner_is_refused(change: dict[str, object]) -> None:
    snapshot = msgspec.structs.replace(learned().snapshot(0, 0), **change)
    with pytest.raises(ValueError, match=r"snapshot|state"):
        Learner.restore(snapshot)


def test_a_window_whose_columns_do_not_fit_is_refused() -> None:
    state = learned().rolling["churn"].dump()
    columns = state["columns"]
    changes: list[dict[str, object]] = [
        {"labels": "01"}, {"labels": "2" * 25}, {"columns": {}}, {"columns": dict.fromkeys(columns, "*")},
    ]  # fmt: skip
    for broken in changes:
        with pytest.raises(ValueError, match="window"):
            Rolling.load(state | broken)


def test_an_unknown_target_changes_nothing() -> None:
    learner = learned()
    before = learner.snapshot(0, 0)
    with pytest.raises(ValueError, match="no target"):
        learner.learn_one(make_example(True, 0.5, "sentiment"))
    assert learner.snapshot(0, 0) == before
