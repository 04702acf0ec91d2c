"""Window counters by tables: what falls into which window, and what pruning leaves."""

import pytest

from schemas.behaviours import Behaviour
from schemas.features import DAY_MS, HOUR_MS
from stream.features.windows import Counters, Sums, add, prune

NOON = 1_700_049_600_000  # 2023-11-15 12:00 UTC, a Wednesday


@pytest.mark.parametrize(
    ("ago", "inside"),
    [
        (0, {"1h", "1d", "7d", "30d", "4w", "90d"}),
        (30 * 60_000, {"1h", "1d", "7d", "30d", "4w", "90d"}),
        (2 * HOUR_MS, {"1d", "7d", "30d", "4w", "90d"}),
        (3 * DAY_MS, {"7d", "30d", "4w", "90d"}),
        (7 * DAY_MS, {"7d before", "30d", "4w", "90d"}),
        (29 * DAY_MS, {"30d", "4w before", "90d"}),
        (30 * DAY_MS, {"4w before", "90d"}),
        (80 * DAY_MS, {"90d"}),
        (120 * DAY_MS, set()),
    ],
)
def test_an_event_lies_in_these_windows(ago: int, inside: set[str]) -> None:
    counters: Counters = {}
    add(counters, NOON - ago, Behaviour.VIEW)
    sums = Sums(counters, NOON)
    windows = ("1h", "1d", "7d", "7d before", "30d", "4w", "4w before", "90d")
    assert {window for window in windows if sums.over(window, Behaviour.VIEW)} == inside


def test_pruning_changes_no_window_and_leaves_nothing_of_the_past() -> None:
    counters: Counters = {}
    for day in range(0, 200, 3):
        add(counters, NOON - day * DAY_MS, Behaviour.VIEW, day + 1)
    before = [Sums(counters, NOON).over(window, Behaviour.VIEW) for window in ("1h", "7d", "30d", "90d")]
    prune(counters, NOON)
    assert [Sums(counters, NOON).over(window, Behaviour.VIEW) for window in ("1h", "7d", "30d", "90d")] == before
    prune(counters, NOON + 200 * DAY_MS)
    assert counters == {}


def test_what_is_taken_back_leaves_no_counter() -> None:
    counters: Counters = {}
    add(counters, NOON, Behaviour.ORDER, 3)
    add(counters, NOON, Behaviour.ORDER, -3)
    assert counters == {}
