"""The monitor over a real log: what is changed is flagged, on the log as it was nobody is told of prices."""

import pytest

from deploy.evaluate import drift
from deploy.evaluate.asked import Asked
from schemas.errors import OperatorError


def test_doubled_prices_are_flagged_within_days_of_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    # The log's beginning, so that this takes seconds.
    monkeypatch.setattr(drift, "CHANGED", 32)
    monkeypatch.setattr(drift, "SETTLING", 32)
    found = drift.measure(Asked("drift", "completejourney", limit=17_500, quiet=True))
    doubled = found["prices_doubled"]
    assert doubled["flagged_after_days"] in range(9)
    assert set(doubled["features"]) & drift.OF_PRICES
    assert not {one["feature"] for one in found["alarms"]} & drift.OF_PRICES


def test_another_source_is_refused() -> None:
    with pytest.raises(OperatorError, match="completejourney"):
        drift.measure(Asked("drift", "taobao", quiet=True))
