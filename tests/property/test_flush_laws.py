"""Laws of the flush: when profiles are written and pruned changes no snapshot, now or later."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.behaviours import Behaviour
from schemas.event import Event, Line
from schemas.features import DAY_MS, HOUR_MS
from stream.features.engine import Config, Engine, Record

T0 = 1_700_000_000_000
SPAN = 3 * DAY_MS
CONFIG = Config(debounce=0)
KINDS = [
    Behaviour.VIEW,
    Behaviour.CART_ADD,
    Behaviour.CART_REMOVE,
    Behaviour.ORDER,
    Behaviour.CANCEL,
    Behaviour.REFUND,
    Behaviour.PAGE,
]


@st.composite
def some_arrivals(draw: st.DrawFn) -> list[tuple[Event, int]]:
    """Events with their arrival, up to 20 hours late, in the order in which they arrive."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        behaviour = draw(st.sampled_from(KINDS))
        at = T0 + draw(st.integers(0, SPAN))
        event = Event(
            behaviour=behaviour,
            at=at,
            customer=draw(st.sampled_from(["ann", "bob"])),
            message=number + 1,
            lines=(Line(draw(st.sampled_from("ab")), 1, 100),),
            order=draw(st.integers(1, 2)),
            amount=draw(st.none() | st.integers(1, 500)) if behaviour != Behaviour.ORDER else 1000,
            currency="USD",
        )
        found.append((event, at + draw(st.integers(0, 20) | st.just(0)) * HOUR_MS))
    return sorted(found, key=lambda arrival: arrival[1])


@settings(max_examples=100, deadline=None)
@given(some_arrivals(), st.sets(st.integers(0, 11)))
def test_no_snapshot_depends_on_when_profiles_are_flushed(arrivals: list[tuple[Event, int]], at: set[int]) -> None:
    assert snapshots(arrivals, at) == snapshots(arrivals, set())


def snapshots(arrivals: list[tuple[Event, int]], flushes: set[int]) -> list[Record]:
    """What the engine emits, and how it would score each customer after each event at the earliest moment it may."""
    engine = Engine(CONFIG)
    records: list[Record] = []
    for number, (event, arrived) in enumerate(arrivals):
        records += engine.apply(event, 0, number, arrived)
        for profile in engine.profiles.values():
            moment = max(profile.last, engine.clock - CONFIG.lateness)
            records.append(engine.snapshot(profile, "asked", moment, arrived, number))
        if number in flushes:
            list(engine.flush())
    return records + engine.advance(T0 + SPAN + 8 * DAY_MS, T0 + SPAN + 8 * DAY_MS)
