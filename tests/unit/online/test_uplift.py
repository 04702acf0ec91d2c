"""The effect of alerts: what counts, when, and how sure one can be."""

import random

import pytest

from online.uplift import Arm, Trial, effect

HORIZON = 10


def lived(held: bool, *orders: int) -> Trial:
    """A customer decided on at 0, who ordered then and then."""
    trial = Trial().decided(0, HORIZON, held=held)
    for at in orders:
        trial = trial.ordered(at)
    return trial


def test_a_window_counts_once_it_is_over_and_not_before() -> None:
    trial = lived(False, 3, 4)
    assert trial.closed(HORIZON).treated == Arm(0, 0)
    assert trial.closed(HORIZON + 1).treated == Arm(1, 1)
    assert lived(True).closed(HORIZON + 1).holdout == Arm(1, 0)
    assert lived(True, HORIZON + 1).closed(99).holdout == Arm(1, 0)


def test_decisions_in_an_open_window_are_part_of_it() -> None:
    trial = lived(False, 2).decided(5, HORIZON, held=False).decided(HORIZON + 1, HORIZON, held=False)
    assert trial.treated == Arm(1, 1)
    assert trial.until == 2 * HORIZON + 1
    assert trial.closed(99).treated == Arm(2, 1)


def test_the_effect_is_the_difference_of_shares() -> None:
    trials = [lived(False, 1)] * 30 + [lived(False)] * 70 + [lived(True, 1)] * 10 + [lived(True)] * 90
    found = effect(trials, 99)
    assert (found.treated, found.treated_share, found.holdout, found.holdout_share) == (100, 0.3, 100, 0.1)
    # By hand: Wilson's intervals of 100 windows are 0.2189 to 0.3958 and 0.0552 to 0.1744.
    assert (found.uplift, found.low, found.high) == pytest.approx((0.2, 0.0899, 0.3058), abs=1e-3)


def test_without_two_customers_in_each_arm_there_is_no_effect_to_speak_of() -> None:
    assert effect([], 99).uplift is None
    assert effect([lived(False)] * 50 + [lived(True)], 99) == (50, 0.0, 1, 0.0, None, None, None)


def test_a_customer_s_many_windows_are_not_many_customers() -> None:
    once = [Trial(treated=Arm(1, n % 2)) for n in range(40)] + [Trial(holdout=Arm(1, n % 2)) for n in range(40)]
    alike = [Trial(treated=Arm(10, 10 * (n % 2))) for n in range(40)]
    alike += [Trial(holdout=Arm(10, 10 * (n % 2))) for n in range(40)]
    a, b = effect(once, 0), effect(alike, 0)
    assert a.low is not None
    assert b.low == pytest.approx(a.low, abs=0.01)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random.seed(7)

    def customer(chance: float) -> Arm:
        windows = random.randint(1, 4)
        own = min(1.0, max(0.0, random.gauss(chance, 0.1)))
        return Arm(windows, sum(random.random() < own for _ in range(windows)))

    held = 0
    for _ in range(400):
        trials = [Trial(treated=customer(0.4)) for _ in range(190)] + [Trial(holdout=customer(0.3)) for _ in range(30)]
        found = effect(trials, 0)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
    assert 0.92 <= held / 400 <= 0.98
