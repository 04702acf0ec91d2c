"""Stored profiles are restored undecoded: whatever then happens, they are what decoded ones would be."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.bench.events import events
from schemas.decode import decode
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Config, Engine
from stream.features.profile import Profile

EVENTS = [decode(event.value, "USD") for event in events(600, customers=25)]
DAY_MS = 86_400_000


def stored(engine: Engine) -> dict[str, bytes]:
    found = {}
    for customer, profile in engine.flush():
        assert profile is not None
        found[customer] = encode_profile(profile, engine.due(customer))
    return found


def run(engine: Engine, start: int, stop: int, told: list[object]) -> None:
    for offset in range(start, stop):
        told += engine.apply(EVENTS[offset], 0, offset, EVENTS[offset].at)


@given(st.integers(1, 599), st.integers(0, 20))
def test_a_restart_changes_nothing(cut: int, days: int) -> None:
    before = Engine(Config())
    run(before, 0, cut, [])
    values = stored(before)
    decoded, asleep = Engine(Config()), Engine(Config())
    for customer, value in values.items():
        decoded.restore(decode_profile(value))
        asleep.restore_stored(customer, value)
    assert len(asleep) == len(decoded) == len(values)
    one: list[object] = []
    other: list[object] = []
    # Some are read again after a crash.
    run(decoded, max(0, cut - 50), 600, one)
    run(asleep, max(0, cut - 50), 600, other)
    end = EVENTS[-1].at + days * DAY_MS
    one += decoded.advance(end, end)
    other += asleep.advance(end, end)
    key = str
    assert sorted(one, key=key) == sorted(other, key=key)
    assert dict(decoded.flush()) == dict(asleep.flush())
    assert (decoded.clock, decoded.repeated, decoded.late) == (asleep.clock, asleep.repeated, asleep.late)


def test_a_tombstone_forgets_who_is_asleep() -> None:
    engine = Engine(Config())
    engine.restore_stored("c", encode_profile(Profile("c", first=1, last=1, touched=1)))
    assert len(engine) == 1
    engine.forget("c")
    assert len(engine) == 0
    assert not engine.profiles
