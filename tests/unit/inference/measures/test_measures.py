"""Measures, against what is known of them by hand and by law."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.measures.amount import errors
from inference.measures.bootstrap import compare, draws
from inference.measures.groups import by_group, gaps
from inference.measures.probability import calibration_error, decided, log_loss, reliability
from inference.measures.ranking import Ranking

CASES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 3)), min_size=2, max_size=30)


@given(CASES)
def test_the_auc_is_the_chance_that_a_positive_ranks_above_a_negative(cases: list[tuple[int, int, int]]) -> None:
    scores, labels, weights = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    won = total = 0.0
    for s, label, w in cases:
        for s2, label2, w2 in cases:
            if label == 1 and label2 == 0:
                won += w * w2 * (1.0 if s > s2 else 0.5 if s == s2 else 0.0)
                total += w * w2
    found = Ranking(scores, labels).roc_auc(weights)
    assert found == pytest.approx(won / total) if total else np.isnan(found)


@given(CASES)
def test_a_weight_of_two_is_the_case_twice(cases: list[tuple[int, int, int]]) -> None:
    scores, labels, weights = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    again = np.repeat(np.arange(len(cases)), weights.astype(int))
    if len(again) == 0 or labels[again].sum() == 0:
        return
    repeated = Ranking(scores[again], labels[again]).average_precision()
    assert Ranking(scores, labels).average_precision(weights) == pytest.approx(repeated)


def test_customers_are_drawn_whole() -> None:
    for weights in draws(["a", "b", "a", "c"], 20, seed=1):
        assert weights[0] == weights[2]
        assert weights[0] + weights[1] + weights[3] == 3


def test_a_better_model_is_told_from_a_worse_and_a_copy_is_not() -> None:
    chance = np.random.default_rng(1)
    labels = chance.integers(0, 2, 600).astype(float)
    good, poor = labels + chance.normal(0, 1, 600), labels + chance.normal(0, 4, 600)
    rankings = {name: Ranking(s, labels).roc_auc for name, s in {"good": good, "copy": poor, "poor": poor}.items()}
    found = compare(rankings, "poor", [str(n % 200) for n in range(600)], 100, seed=2)
    better, same = found["good"]["against_poor"], found["copy"]["against_poor"]
    assert better["interval"][0] > 0
    assert better["p"] < 0.05
    assert same["difference"] == 0
    assert same["p"] > 0.05
    low, high = found["good"]["interval"]
    assert low < Ranking(good, labels).roc_auc() < high


def test_what_was_never_said_has_no_precision() -> None:
    assert decided(np.array([0.1, 0.2]), np.array([1.0, 0.0]))["f1"] == 0.0
    assert decided(np.array([0.9]), np.array([1.0])) == {"accuracy": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0}


def test_probabilities_that_mean_what_they_say() -> None:
    chance = np.random.default_rng(3)
    said = chance.random(20_000)
    seen = (chance.random(20_000) < said).astype(float)
    assert calibration_error(said, seen) < 0.02
    assert calibration_error(np.sqrt(said), seen) > 0.1
    assert sum(count for _, _, count in reliability(said, seen)) == 20_000
    assert log_loss(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx(-np.log(1e-7))


def test_errors_of_amounts() -> None:
    told = errors(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    assert told == {
        "mean_absolute_error": 2.0,
        "root_mean_squared_error": pytest.approx((14 / 3) ** 0.5),
        "rank_correlation": 1.0,
        "sum_ratio": 0.5,
    }


def test_small_groups_are_left_out_and_gaps_are_the_largest_differences() -> None:
    labels = np.tile([0.0, 1.0], 200)
    said = np.where(labels > 0, 0.6, 0.4)
    said[:200] = 0.5
    masks = {"even": np.arange(400) < 200, "sharp": np.arange(400) >= 200, "few": np.arange(400) < 10}
    groups = by_group(said, labels, masks, threshold=0.5)
    assert set(groups) == {"even", "sharp"}
    assert gaps(groups) == pytest.approx({"roc_auc": 0.5, "calibration": 0.0, "selection": 0.5, "opportunity": 0.0})
    assert gaps({"one": groups["even"]}) == {}
