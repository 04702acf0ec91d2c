"""Marks as an operator writes them."""

import pytest

from online.alerts import KINDS
from online.marks import marks_of
from online.policies.base import Marks
from schemas.features import DAY_MS


def test_what_is_not_given_stays_the_kinds_own() -> None:
    own = KINDS["churn_risk"].marks
    assert marks_of({}) == {}
    assert marks_of({"churn_risk": {}}) == {"churn_risk": own}
    assert marks_of({"churn_risk": {"cooldown_days": 1.5, "daily": 2}}) == {
        "churn_risk": Marks(own.high, own.low, round(1.5 * DAY_MS), 2, own.late)
    }
    assert marks_of({"purchase_overdue": {"high": 3.0, "low": 2.0, "late": 4.0}})["purchase_overdue"] == Marks(
        3.0, 2.0, KINDS["purchase_overdue"].marks.cooldown_ms, 1, 4.0
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"churn": {"high": 0.5}}, "no alerts of kind churn; there are bad_review, .*churn_risk"),
        ({"churn_risk": {"hi": 0.5}}, "churn_risk has no hi; write some of high, low, late"),
        ({"churn_risk": {"high": 0.01}}, "churn_risk: the low mark .* is above the high mark 0.01; give both"),
        ({"churn_risk": {"high": float("nan")}}, "churn_risk: no mark is below 0 or without an end"),
        ({"churn_risk": {"low": -1.0}}, "churn_risk: no mark is below 0"),
        ({"churn_risk": {"cooldown_days": 0.0}}, "churn_risk: a cool-down is longer than nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(given: dict[str, dict[str, float]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        marks_of(given)
