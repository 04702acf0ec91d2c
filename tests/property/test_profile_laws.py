"""Laws of the profile: order does not matter, repetition does not count, refunds take back what orders added."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.behaviours import Behaviour
from schemas.event import Event, Line
from schemas.features import DAY_MS, NAMES
from stream.features import windows
from stream.features.apply import apply, prune
from stream.features.codec import decode_profile, encode_profile
from stream.features.profile import LEDGER, Profile
from stream.features.vector import features_at

T0 = 1_700_000_000_000
GAP = 1_800_000
BROWSE = [Behaviour.VIEW, Behaviour.SEARCH, Behaviour.CART_ADD, Behaviour.CART_REMOVE, Behaviour.WISHLIST]
REVIEWS = [Behaviour.REVIEW, Behaviour.REVIEW_SCORED]
CHANGES = [Behaviour.ORDER, Behaviour.REFUND, Behaviour.CANCEL, Behaviour.ORDER_UPDATE]

times = st.integers(T0, T0 + 40 * DAY_MS)
lines = st.builds(
    Line, st.sampled_from(["a", "b", "c"]), st.integers(0, 3), st.integers(0, 999), st.sampled_from(["", "x", "y"])
)


@st.composite
def an_event(draw: st.DrawFn) -> Event:
    behaviour = draw(st.sampled_from([*BROWSE, *CHANGES, *REVIEWS, Behaviour.PAGE]))
    return Event(
        behaviour=behaviour,
        at=draw(times),
        customer="c",
        message=0,
        lines=(draw(lines),),
        order=draw(st.integers(1, 4)) if behaviour in CHANGES else 0,
        amount=draw(st.none() | st.integers(0, 5000)) if behaviour in CHANGES else None,
        discount=draw(st.integers(0, 100)),
        currency="USD",
        rating=float(draw(st.integers(1, 5))),
    )


@st.composite
def some_events(draw: st.DrawFn) -> list[Event]:
    events = draw(st.lists(an_event(), max_size=24))
    for number, event in enumerate(events):
        event.message = number + 1
        if event.behaviour == Behaviour.ORDER:
            # One order is one order: what reports it twice may differ in its message, not in currency.
            event.amount = event.amount or 0
    return events


def fold(events: list[Event]) -> Profile:
    profile = Profile("c")
    for event in events:
        apply(profile, event, "USD")
    prune(profile, max((event.at for event in events), default=T0))
    profile.seen = {}
    return profile


def distinct_updates(events: list[Event]) -> bool:
    """Two updates of one order at the same millisecond have no order to agree on."""
    keys = [(e.order, e.at) for e in events if e.behaviour == Behaviour.ORDER_UPDATE]
    return len(keys) == len(set(keys))


@given(some_events().filter(distinct_updates), st.randoms(use_true_random=False))
def test_any_order_of_the_same_events_gives_the_same_profile(events: list[Event], random: object) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert counted(fold(shuffled)) == counted(fold(events))


def counted(profile: Profile) -> dict[str, object]:
    now = T0 + 40 * DAY_MS
    windows.prune(profile.counters, now)
    return {
        "features": features_at(profile, now, "USD", GAP),
        "counters": profile.counters,
        "story": profile.story,
        "orders": profile.orders,
        "money": {currency: net for currency, net in profile.money.items() if net},
        "owned": profile.owned,
        "sentiments": profile.sentiments,
    }


@given(some_events(), st.data())
def test_a_repeated_message_changes_nothing(events: list[Event], data: st.DataObject) -> None:
    repeated = [event for event in events for _ in range(data.draw(st.integers(1, 3)))]
    assert fold(repeated) == fold(events)


readings = st.builds(
    lambda at, message, content: Event(
        behaviour=Behaviour.REVIEW_SCORED, at=T0 + at, customer="c", message=message, rating=content
    ),
    st.integers(0, 20),
    st.integers(1, 20),
    st.floats(0, 1),
)


@given(some_events(), st.lists(readings, max_size=40), st.randoms(use_true_random=False))
def test_reviews_may_be_read_often_and_in_any_order_and_are_no_behaviour(
    events: list[Event], read: list[Event], random: object
) -> None:
    events = [event for event in events if event.behaviour != Behaviour.REVIEW_SCORED]
    shuffled = [*read, *read[::2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    without, one, other = fold(events), fold([*events, *read]), fold([*events, *shuffled])
    assert one == other
    assert len(one.sentiments) == min(8, len({(event.at, event.message) for event in read}))
    one.sentiments = []
    assert one == without


@given(some_events())
def test_a_stored_profile_reads_back_the_same(events: list[Event]) -> None:
    profile = fold(events)
    assert decode_profile(encode_profile(profile)) == profile


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=LEDGER), st.booleans())
def test_cancelling_takes_back_exactly_what_ordering_added(amounts: list[int], first: bool) -> None:
    def event(behaviour: Behaviour, order: int, amount: int | None, message: int) -> Event:
        return Event(
            behaviour=behaviour, at=T0, customer="c", message=message, order=order, amount=amount, currency="USD"
        )

    orders = [event(Behaviour.ORDER, i, amount, i + 1) for i, amount in enumerate(amounts)]
    cancels = [event(Behaviour.CANCEL, i, None, i + 1000) for i in range(len(amounts))]
    profile = Profile("c")
    for one in [*cancels, *orders] if first else [*orders, *cancels]:
        apply(profile, one, "USD")
    assert profile.orders_total == 0
    assert profile.money.get("USD", 0) == 0
    features = features_at(profile, T0, "USD", GAP)
    assert features["orders_90d"] == features["spend_90d"] == features["items_90d"] == 0


@given(some_events())
def test_every_registered_feature_is_computed_and_no_other(events: list[Event]) -> None:
    assert sorted(features_at(fold(events), T0 + 40 * DAY_MS, "USD", GAP)) == sorted(NAMES)
