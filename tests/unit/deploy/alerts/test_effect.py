"""What alerts change, out of what was said to everybody."""

import pytest

from deploy.alerts.effect import effects
from online.said import Said
from online.uplift import Arm, Trial


def test_both_arms_of_each_kind_are_told() -> None:
    treated = [Said(at=n, trials={"churn_risk": Trial(treated=Arm(2, 1))}) for n in range(50)]
    held = [Said(at=n, trials={"churn_risk": Trial(holdout=Arm(1, n % 4 == 0))}) for n in range(40)]
    found = effects([*treated, *held, Said()])
    assert list(found) == ["churn_risk"], "kinds never decided are left out"
    of = found["churn_risk"]
    assert (of["treated"], of["treated_share"], of["holdout"], of["holdout_share"]) == (100, 0.5, 40, 0.25)
    assert of["uplift"] == pytest.approx(0.25)
    assert 0.0 < of["low"] < 0.25 < of["high"] < 0.5


def test_a_window_counts_once_anybody_was_seen_after_its_end() -> None:
    open_window = Said(at=5, trials={"churn_risk": Trial(until=100, bought=True)})
    assert effects([open_window, Said(at=100)])["churn_risk"]["treated"] == 0
    assert effects([open_window, Said(at=101)])["churn_risk"]["treated"] == 1


def test_nobody_was_decided_on() -> None:
    assert effects([]) == {}
    assert effects([Said(at=7)]) == {}


def test_one_arm_alone_shows_no_difference() -> None:
    of = effects([Said(at=n, trials={"high_intent": Trial(treated=Arm(1, 1))}) for n in range(9)])["high_intent"]
    assert (of["treated_share"], of["holdout_share"], of["uplift"]) == (1.0, None, None)
