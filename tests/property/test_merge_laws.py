"""Laws of merging: however events were split over ids, merged they are the profile of one who sent them all herself."""

import copy
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from schemas.behaviours import Behaviour
from schemas.event import Event
from schemas.features import DAY_MS
from schemas.merges import Carry
from stream.features.apply import apply, prune
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Config, Engine
from stream.features.identity import Identities, Outcome
from stream.features.merge import merge
from stream.features.profile import LEDGER, SEEN, Profile
from stream.features.timers import Delays, soonest
from tests.property.test_profile_laws import T0, counted, distinct_updates, fold, some_events

events_of_one = some_events().filter(distinct_updates)


def state(profile: Profile) -> dict[str, object]:
    """All that a profile holds of its events, but for how the lists lie in memory."""
    lists = {"owned": sorted(profile.owned.items()), "cart": profile.cart}
    sums = ("events", "orders_total", "paid", "returned", "browsed", "mobile", "campaign", "reviews", "ratings")
    ends = ("first", "last", "settled", "overdue", "rating", "habits")
    latest = ("viewed", "searched", "added", "checked_out")
    return counted(profile) | lists | {name: getattr(profile, name) for name in (*sums, *ends, *latest)}


def merged(profile: Profile, *others: Profile) -> Profile:
    profile = copy.deepcopy(profile)
    for other in others:
        merge(profile, decode_profile(encode_profile(other)), "USD")
    prune(profile, profile.last or T0)
    return profile


def split(events: Sequence[Event], sides: list[int], parts: int) -> list[Profile]:
    return [fold([e for e, side in zip(events, sides, strict=True) if side == part]) for part in range(parts)]


def sides(draw: st.DataObject, events: Sequence[Event], parts: int) -> list[int]:
    return draw.draw(st.lists(st.integers(0, parts - 1), min_size=len(events), max_size=len(events)))


@given(events_of_one, st.data())
def test_merging_the_two_parts_of_any_split_gives_the_whole(events: list[Event], data: st.DataObject) -> None:
    user, device = split(events, sides(data, events, 2), 2)
    assert state(merged(user, device)) == state(fold(events))


@given(events_of_one, st.data(), st.permutations(range(1, 4)))
def test_several_devices_may_be_merged_in_any_order(events: list[Event], data: st.DataObject, order: list[int]) -> None:
    parts = split(events, sides(data, events, 4), 4)
    assert state(merged(parts[0], *(parts[n] for n in order))) == state(fold(events))


@given(events_of_one, events_of_one, st.data())
def test_a_merged_profile_goes_on_like_any_other(before: list[Event], after: list[Event], data: st.DataObject) -> None:
    for number, event in enumerate(after):
        event.message = 1000 + number
    if not distinct_updates([*before, *after]):
        return
    profile = merged(*split(before, sides(data, before, 2), 2))
    for one in (profile, whole := fold(before)):
        for event in after:
            apply(one, event, "USD")
        prune(one, one.last or T0)
    assert state(profile) == state(whole)


@given(events_of_one, st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_a_carry_counts_once_however_often_it_comes(events: list[Event], sent: list[int]) -> None:
    """Generations come in order at first, and again from anywhere on after a crash."""
    engine = Engine(Config())
    identities = Identities(engine)
    arrivals = [n for last in sent for n in range(last + 1)]
    for offset, generation in enumerate(arrivals):
        part = fold(events[generation::4])
        carry = Carry(device="d", user="c", at=T0, generation=generation, profile=encode_profile(part))
        done = identities.take(carry, offset)
        assert identities.take(carry, offset).outcome is Outcome.REPEATED, "the record is read again"
        assert done.outcome in (Outcome.TAKEN, Outcome.REPEATED)
    taken = [event for n in range(max(sent) + 1) for event in events[n::4]]
    profile = engine.profiles["c"]
    prune(profile, profile.last or T0)
    assert state(profile) == state(fold(taken))


@given(events_of_one, st.data())
def test_what_a_merge_leaves_behind_is_bounded_and_armed(events: list[Event], data: st.DataObject) -> None:
    user, device = split(events, sides(data, events, 2), 2)
    days = T0 // DAY_MS + 40
    user.seen = {n: days + n // 16 for n in range(SEEN)}
    device.seen = {SEEN + n: days + n // 16 for n in range(SEEN)}
    profile = merged(user, device)
    assert len(profile.seen) == SEEN
    # The newest of either: what may well come again.
    assert {SEEN - 1, 2 * SEEN - 1} <= set(profile.seen)
    assert list(profile.seen)[-1] in (SEEN - 1, 2 * SEEN - 1)
    assert soonest(Profile("stub", touched=T0), Delays())[1] == "expired"


def test_the_ledger_stays_bounded_and_forgets_the_oldest() -> None:
    def orders(numbers: range) -> Profile:
        return fold(
            [
                Event(
                    behaviour=Behaviour.ORDER,
                    at=T0 + n * DAY_MS,
                    customer="c",
                    message=n + 1,
                    order=n + 1,
                    amount=100,
                    currency="USD",
                )
                for n in numbers
            ]
        )

    profile = merged(orders(range(20)), orders(range(20, 40)))
    assert sorted(profile.orders) == list(range(41 - LEDGER, 41))
    assert (profile.orders_total, profile.money) == (40, {"USD": 4000})
