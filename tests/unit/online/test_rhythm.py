"""When a customer is usually active, and when that is next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online.rhythm import HOURS, next_at, usual_hour
from schemas.features import DAY_MS, HOUR_MS


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ([], None),
        ([9, 9, 9, 9], None),
        ([9, 9, 9, 20, 20], 9),
        ([20.9, 20.1, 19.9, 19.1, 3, 3], 19),  # Both sides of 20:00 are one rhythm; the later behaviour's hour.
        ([23.5, 0.2, 23.9, 12, 12], 23),  # Round midnight.
        ([9, 20, 9, 20, 9, 20], 20),
    ],
)
def test_usual_hour(hours: list[float], expected: int | None) -> None:
    assert usual_hour([day * DAY_MS + round(hour * HOUR_MS) for day, hour in enumerate(hours)]) == expected


@given(st.lists(st.integers(0, 10**13), min_size=5, max_size=32), st.integers(-400, 400))
def test_whole_days_change_nothing(times: list[int], days: int) -> None:
    assert usual_hour([at + days * DAY_MS for at in times]) == usual_hour(times)
    assert usual_hour(times) in {at // HOUR_MS % HOURS for at in times} | {
        (at // HOUR_MS + step) % HOURS for at in times for step in (-1, 1)
    }


@given(st.integers(0, 23), st.integers(0, 10**13))
def test_the_next_such_hour_is_within_a_day(hour: int, after: int) -> None:
    at = next_at(hour, after)
    assert after <= at < after + DAY_MS
    assert at // HOUR_MS % HOURS == hour
