"""When scoring goes on without BERT: by age, with a way back, and never for history."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.outputs import Snapshot
from stream.backlog import FRESH, HISTORY_MS, Backlog

NOW = 1_700_000_000.0
LIMIT_S = 2.0
ages = st.lists(st.floats(0, 10), min_size=1, max_size=40)


def waited(seconds: float, history: int = 0) -> Snapshot:
    arrived = int((NOW - seconds) * 1000)
    return Snapshot(id="s", customer="c", at=arrived - history, trigger="cart", arrived=arrived, features={}, story=[])


@given(ages)
def test_too_old_is_late_and_fresh_is_not_whatever_came_before(seconds: list[float]) -> None:
    backlog = Backlog(LIMIT_S)
    for age in seconds:
        late = backlog.late(waited(age), NOW)
        if age > LIMIT_S + 0.01:
            assert late
        if age < LIMIT_S * FRESH - 0.01:
            assert not late


@given(ages)
def test_history_is_never_late_and_changes_nothing(seconds: list[float]) -> None:
    backlog, alone = Backlog(LIMIT_S), Backlog(LIMIT_S)
    for age in seconds:
        assert not backlog.late(waited(age, history=HISTORY_MS + 1), NOW)
        assert backlog.late(waited(age), NOW) == alone.late(waited(age), NOW)


def test_once_behind_it_catches_up_before_bert_is_asked_again() -> None:
    backlog = Backlog(LIMIT_S)
    assert [backlog.late(waited(age), NOW) for age in (1.0, 2.5, 1.5, 1.1, 0.9, 1.0)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]


def test_it_is_pressed_for_a_moment_after_something_was_late() -> None:
    def arrived(at: float) -> Snapshot:
        ms = int(at * 1000)
        return Snapshot(id="", customer="", at=ms, trigger="", arrived=ms, features={}, story=[])

    backlog = Backlog(limit_s=2.0)
    assert not backlog.pressed(10.0)
    assert backlog.late(arrived(5.0), 10.0)
    assert backlog.pressed(11.0)
    assert not backlog.pressed(12.5), "nothing came since: nothing waits"
    assert not backlog.late(arrived(12.9), 13.0)
    assert not backlog.pressed(13.0)
