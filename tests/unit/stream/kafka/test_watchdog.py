"""When a consumer has stalled, and above all when it has not."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.kafka import watchdog
from stream.kafka.watchdog import Place, Watchdog

PATIENCE_S = 30.0
STEP_S = 5.0
STUCK = Place(position=5, bounds=(0, 9), readable=True)


def looks(*places: Place, hungry: bool = True, step_s: float = STEP_S) -> list[bool]:
    """Whether it is a stall, look after look."""
    dog: Watchdog[str] = Watchdog(PATIENCE_S)
    return [bool(dog.look(number * step_s, {"a": place}, hungry=hungry)) for number, place in enumerate(places)]


def test_the_example() -> None:
    assert doctest.testmod(watchdog).failed == 0


def test_what_has_more_and_is_not_read_stalls_once_patience_is_over() -> None:
    assert looks(*[STUCK] * 9) == [False] * 6 + [True] * 3


def test_reading_that_never_began_stalls_as_well() -> None:
    assert looks(*[STUCK._replace(position=None)] * 9)[-1]


@pytest.mark.parametrize(
    "quiet",
    [
        STUCK._replace(position=9),
        STUCK._replace(position=None, bounds=(9, 9)),
        STUCK._replace(position=3, bounds=(9, 9)),
        STUCK._replace(readable=False),
        STUCK._replace(bounds=None),
    ],
    ids=["at the end", "empty", "emptied", "restoring or held back", "no answer from the broker"],
)
def test_what_has_no_more_or_may_not_be_read_never_stalls(quiet: Place) -> None:
    assert not any(looks(*[quiet] * 100))


@pytest.mark.parametrize(
    "excuse", [STUCK._replace(readable=False), STUCK._replace(bounds=None), STUCK._replace(position=6)]
)
def test_patience_begins_anew_after_every_excuse_and_every_progress(excuse: Place) -> None:
    assert not any(looks(*([STUCK] * 6 + [excuse]) * 9))


def test_while_something_waits_to_be_processed_it_is_no_stall() -> None:
    assert not any(looks(*[STUCK] * 100, hungry=False))


def test_a_busy_worker_notices_a_partition_that_starves_once_it_has_been_idle_for_long_enough() -> None:
    dog: Watchdog[str] = Watchdog(PATIENCE_S)
    busy = Place(position=None, bounds=(0, 1_000), readable=True)
    found = [
        dog.look(number * STEP_S, {"stuck": STUCK, "busy": busy._replace(position=number)}, hungry=number % 2 == 0)
        for number in range(15)
    ]
    assert found == [[]] * 12 + [["stuck"]] * 3


def test_a_sleep_of_the_whole_machine_is_no_stall() -> None:
    assert looks(*[STUCK] * 3, step_s=10_000.0) == [False] * 3


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(0, 9),
            st.none() | st.tuples(st.integers(0, 5), st.integers(5, 9)),
            st.booleans(),
            st.booleans(),
            st.floats(0.1, 100),
        )
    )
)
def test_a_stall_was_never_told_without_patience_of_starving(
    steps: list[tuple[int | None, tuple[int, int] | None, bool, bool, float]],
) -> None:
    dog: Watchdog[str] = Watchdog(PATIENCE_S)
    now, since = 0.0, 0.0
    before: int | None = -1
    for position, bounds, readable, hungry, passed in steps:
        now += passed
        place = Place(position, bounds, readable)
        if not place.more or position != before:
            since = now
        before = position
        if dog.look(now, {"a": place}, hungry=hungry):
            assert hungry or now - since >= PATIENCE_S
            assert now - since >= PATIENCE_S - 1e-6
