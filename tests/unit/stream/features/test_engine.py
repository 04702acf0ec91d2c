"""The engine of one partition: clock, timers, repeats, late history, and what it emits when."""

import pytest

from schemas.behaviours import Behaviour
from schemas.errors import Reason, Rejected
from schemas.event import Event, Line
from schemas.features import DAY_MS, HOUR_MS
from schemas.outputs import Interaction, Snapshot
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Config, Engine, Record
from stream.features.marker import decode_marker, encode_marker

T0 = 1_700_000_000_000
MINUTE = 60_000


class Shop:
    """Feeds an engine as a partition would: offsets count up, events arrive when they happen."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or Engine(Config())
        self.offset = 0

    def event(self, behaviour: Behaviour, at: int, customer: str = "c", **more: object) -> Event:
        self.offset += 1
        lines = (Line("item", 1, 1000),) if behaviour != Behaviour.SEARCH else ()
        fields: dict[str, object] = {"lines": lines, "currency": "USD", "message": self.offset} | more
        return Event(behaviour=behaviour, at=at, customer=customer, **fields)  # type: ignore[arg-type]

    def send(self, behaviour: Behaviour, at: int, customer: str = "c", **more: object) -> list[Record]:
        event = self.event(behaviour, at, customer, **more)
        return self.engine.apply(event, 0, self.offset, at)


def triggers(records: list[Record]) -> list[tuple[str, int]]:
    return [(r.trigger, r.at - T0) for r in records if isinstance(r, Snapshot)]


def test_timers_fire_in_event_order_when_the_clock_passes_them() -> None:
    shop = Shop()
    shop.send(Behaviour.VIEW, T0)
    shop.send(Behaviour.CART_ADD, T0 + MINUTE)
    fired = shop.engine.advance(T0 + 15 * DAY_MS, T0)
    assert triggers(fired) == [
        ("cart_abandoned", MINUTE + HOUR_MS),
        ("silence_7", MINUTE + 7 * DAY_MS),
        ("silence_14", MINUTE + 14 * DAY_MS),
    ]


def test_a_visit_that_no_score_has_seen_is_scored_when_it_ends_once() -> None:
    shop = Shop()
    for minute in range(3):
        shop.send(Behaviour.VIEW, T0 + minute * MINUTE)
    assert triggers(shop.engine.advance(T0 + HOUR_MS, T0)) == [("session_end", 32 * MINUTE)]
    assert triggers(shop.engine.advance(T0 + 2 * HOUR_MS, T0)) == []


def test_the_end_of_a_visit_that_was_scored_or_of_a_single_look_is_no_news() -> None:
    shop = Shop()
    for minute in range(4):
        shop.send(Behaviour.VIEW, T0 + minute * MINUTE)
    shop.send(Behaviour.VIEW, T0, customer="just looked")
    assert triggers(shop.engine.advance(T0 + DAY_MS, T0)) == []


def test_an_order_empties_the_cart_so_that_it_is_not_abandoned() -> None:
    shop = Shop()
    shop.send(Behaviour.CART_ADD, T0)
    shop.send(Behaviour.ORDER, T0 + MINUTE, order=1, amount=1000)
    assert "cart_abandoned" not in [name for name, _ in triggers(shop.engine.advance(T0 + DAY_MS, T0))]


@pytest.mark.parametrize("flushed", [False, True])
def test_a_cancelled_order_does_not_bring_its_cart_back(flushed: bool) -> None:
    shop = Shop()
    shop.send(Behaviour.CART_ADD, T0)
    shop.send(Behaviour.ORDER, T0 + MINUTE, order=1, amount=1000)
    if flushed:
        list(shop.engine.flush())
    shop.send(Behaviour.CANCEL, T0 + 2 * MINUTE, order=1)
    (snapshot,) = [r for r in shop.send(Behaviour.REVIEW, T0 + 3 * MINUTE) if isinstance(r, Snapshot)]
    assert (snapshot.cart, snapshot.features["cart_pieces"]) == ([], 0)


def test_a_timer_that_fired_does_not_fire_again_after_a_restart() -> None:
    shop = Shop()
    shop.send(Behaviour.VIEW, T0)
    shop.engine.advance(T0 + 8 * DAY_MS, T0)
    restarted = Engine(Config())
    for profile in shop.engine.profiles.values():
        restarted.restore(decode_profile(encode_profile(profile)))
    assert triggers(restarted.advance(T0 + 9 * DAY_MS, T0)) == []
    assert triggers(restarted.advance(T0 + 14 * DAY_MS, T0)) == [("silence_14", 14 * DAY_MS)]


def test_records_read_again_after_a_crash_change_nothing() -> None:
    shop = Shop()
    order = shop.event(Behaviour.ORDER, T0, order=1, amount=1000)
    shop.engine.apply(order, 1, 5, T0)
    before = encode_profile(shop.engine.profiles["c"])
    assert shop.engine.apply(order, 1, 5, T0) == []
    assert encode_profile(shop.engine.profiles["c"]) == before


def test_one_order_reported_by_pixel_and_webhook_counts_once() -> None:
    shop = Shop()
    shop.send(Behaviour.ORDER, T0, order=1, amount=1000)
    again = shop.send(Behaviour.ORDER, T0 - 1000, order=1, amount=1200, lines=(Line("a", 1, 1200),))
    # Whoever judges predictions by orders is told of the other time and total; the items are not bought twice.
    assert [(r.at, r.amount, r.items) for r in again if isinstance(r, Interaction)] == [(T0 - 1000, 1200, [])]
    profile = shop.engine.profiles["c"]
    assert (profile.orders_total, profile.money) == (1, {"USD": 1200})


def test_what_a_second_report_says_is_written_back() -> None:
    shop = Shop()
    shop.send(Behaviour.ORDER, T0 + MINUTE, order=7, amount=1000)
    assert dict(shop.engine.flush()).keys() == {"c"}
    shop.send(Behaviour.ORDER, T0, order=7, amount=1000)
    ((_, profile),) = shop.engine.flush()
    assert profile is not None
    assert (profile.orders[7].at, len(profile.seen)) == (T0, 2)


def test_an_event_ahead_of_its_arrival_is_rejected_and_does_not_move_the_clock() -> None:
    shop = Shop()
    shop.send(Behaviour.VIEW, T0)
    event = shop.event(Behaviour.VIEW, T0 + 3650 * DAY_MS)
    with pytest.raises(Rejected) as caught:
        shop.engine.apply(event, 0, shop.offset, T0 + MINUTE)
    assert caught.value.reason == Reason.TIMESTAMP_AHEAD
    assert shop.engine.clock == T0


def test_history_that_comes_late_is_counted_but_triggers_nothing() -> None:
    shop = Shop()
    shop.send(Behaviour.VIEW, T0, customer="other")
    shop.send(Behaviour.VIEW, T0 + MINUTE, customer="other")
    late = shop.send(Behaviour.ORDER, T0 - 400 * DAY_MS, order=1, amount=700)
    assert triggers(late) == []
    assert triggers(shop.engine.advance(T0 + HOUR_MS, T0)) == [("session_end", 31 * MINUTE)]
    assert shop.engine.profiles["c"].orders_total == 1
    assert shop.engine.late == 1


def test_what_comes_late_is_counted_with_what_was_flushed_before() -> None:
    """``ann 0, 1, 2 min · bob 3 h: flush · ann 3 min``: as of her minute 3, ann did four things in that hour."""
    shop = Shop()
    for minute in range(3):
        shop.send(Behaviour.VIEW, T0 + minute * MINUTE)
    shop.send(Behaviour.VIEW, T0 + 3 * HOUR_MS, customer="bob")
    list(shop.engine.flush())
    event = shop.event(Behaviour.REVIEW, T0 + 3 * MINUTE)
    records = shop.engine.apply(event, 0, shop.offset, T0 + 3 * HOUR_MS)
    (snapshot,) = [record for record in records if isinstance(record, Snapshot)]
    assert (snapshot.at, snapshot.features["events_1h"], snapshot.features["views_1h"]) == (T0 + 3 * MINUTE, 4, 3)


def test_a_replay_of_history_does_not_look_like_silence() -> None:
    shop = Shop()
    arrived = T0 + 300 * DAY_MS
    shop.engine.apply(shop.event(Behaviour.CART_ADD, T0), 0, 1, arrived)
    assert shop.engine.idle(arrived + HOUR_MS) == []
    # Even where it is nearly done: what has not arrived when it happened may be followed by more of that time.
    shop.engine.apply(shop.event(Behaviour.CART_ADD, arrived - 2 * HOUR_MS), 0, 2, arrived)
    assert shop.engine.idle(arrived + HOUR_MS) == []


def test_once_caught_up_silence_is_seen_and_also_after_a_restart_however_long_it_took() -> None:
    shop = Shop()
    shop.send(Behaviour.CART_ADD, T0)
    assert triggers(shop.engine.idle(T0 + 2 * HOUR_MS)) == [("cart_abandoned", HOUR_MS)]
    restarted = Engine(Config())
    for profile in shop.engine.profiles.values():
        restarted.restore(decode_profile(encode_profile(profile)))
    assert triggers(restarted.idle(T0 + 8 * DAY_MS)) == []
    restarted.resume(decode_marker(encode_marker(shop.engine.marker())))
    assert triggers(restarted.idle(T0 + 8 * DAY_MS)) == [("silence_7", 7 * DAY_MS)]


def test_timers_of_several_customers_fire_in_order_of_time() -> None:
    shop = Shop()
    for customer, at in (("ann", T0), ("bob", T0 + MINUTE), ("cid", T0 + 5 * DAY_MS)):
        shop.send(Behaviour.CART_ADD, at, customer)
    fired = shop.engine.advance(T0 + 15 * DAY_MS, T0 + 15 * DAY_MS)
    moments = [record.at for record in fired if isinstance(record, Snapshot)]
    assert moments == sorted(moments)
    assert len(moments) == 6


@pytest.mark.parametrize("ahead", [DAY_MS, 3650 * DAY_MS])
def test_one_producer_with_a_wrong_clock_moves_no_time(ahead: int) -> None:
    shop = Shop()
    shop.send(Behaviour.CART_ADD, T0)
    with pytest.raises(Rejected):
        shop.engine.apply(shop.event(Behaviour.VIEW, T0 + ahead, "other"), 0, 9, T0)
    # Within what is allowed, it counts, and time stands where the event arrived.
    shop.engine.apply(shop.event(Behaviour.VIEW, T0 + HOUR_MS, "other"), 0, 10, T0 + MINUTE)
    assert shop.engine.clock == T0 + MINUTE
    assert triggers(shop.engine.advance(T0 + HOUR_MS, T0 + HOUR_MS)) == [("cart_abandoned", HOUR_MS)]


def test_a_silent_profile_is_forgotten() -> None:
    shop = Shop()
    shop.send(Behaviour.VIEW, T0)
    shop.engine.advance(T0 + 1096 * DAY_MS, T0)
    assert "c" not in shop.engine.profiles
    assert dict(shop.engine.flush()) == {"c": None}


def test_a_customer_is_not_scored_more_often_than_the_debounce_allows() -> None:
    shop = Shop()
    taken = [r for minute in range(20) for r in triggers(shop.send(Behaviour.VIEW, T0 + minute * MINUTE))]
    assert taken == [("engaged", 3 * MINUTE), ("engaged", 13 * MINUTE)]


def test_what_is_said_of_a_product_and_of_a_search_is_told() -> None:
    shop = Shop()
    line = Line("a", 1, 250, "Tea", "Low Mill", in_stock=False)
    (told,) = [r for r in shop.send(Behaviour.VIEW, T0, lines=(line,)) if isinstance(r, Interaction)]
    assert (told.category, told.brand, told.price, told.in_stock) == ("Tea", "Low Mill", 250, False)
    # A price in another currency compares with none.
    records = shop.send(Behaviour.VIEW, T0 + 1, lines=(line,), currency="EUR")
    assert [r.price for r in records if isinstance(r, Interaction)] == [None]
    records = shop.send(Behaviour.SEARCH, T0 + 2, text=" green tea ")
    (searched,) = [r for r in records if isinstance(r, Interaction)]
    assert (searched.behaviour, searched.item, searched.query, searched.session) == (
        Behaviour.SEARCH, "", "green tea", T0,
    )  # fmt: skip
    assert not [r for r in shop.send(Behaviour.SEARCH, T0 + 3, text="  ") if isinstance(r, Interaction)]


def test_an_order_gives_one_interaction_with_its_items_in_its_session() -> None:
    shop = Shop()
    shop.send(Behaviour.VIEW, T0)
    lines = (Line("a", 1, 100, "x"), Line("b", 2, 100))
    records = shop.send(Behaviour.ORDER, T0 + MINUTE, order=7, amount=300, lines=lines)
    (told,) = [r for r in records if isinstance(r, Interaction)]
    assert (told.item, told.session, told.order, told.amount, told.currency) == ("", T0, 7, 300, "USD")
    assert [(one.item, one.category, one.order, one.items) for one in told.each()] == [
        ("a", "x", 7, []),
        ("b", "", 7, []),
    ]


def test_what_changes_an_order_is_told_with_its_amount() -> None:
    shop = Shop()
    shop.send(Behaviour.ORDER, T0, order=7, amount=300)
    kinds = (Behaviour.ORDER_UPDATE, Behaviour.REFUND, Behaviour.REFUND, Behaviour.CANCEL, Behaviour.ORDER_UPDATE)
    found = []
    for minute, (kind, amount) in enumerate(zip(kinds, (250, 50, None, None, None), strict=True), 1):
        records = shop.send(kind, T0 + minute * MINUTE, order=7, amount=amount)
        found += [(r.behaviour, r.order, r.amount, r.event > 0) for r in records if isinstance(r, Interaction)]
    # An update that says no total changes nothing that is judged.
    assert found == [
        (Behaviour.ORDER_UPDATE, 7, 250, True),
        (Behaviour.REFUND, 7, 50, True),
        (Behaviour.REFUND, 7, None, True),
        (Behaviour.CANCEL, 7, None, True),
    ]


def test_snapshot_ids_follow_from_what_happened() -> None:
    one, other = Shop(), Shop()
    for shop in (one, other):
        shop.send(Behaviour.VIEW, T0)
    first = one.send(Behaviour.ORDER, T0 + MINUTE, order=1, amount=10)
    again = other.send(Behaviour.ORDER, T0 + MINUTE, order=1, amount=10)
    assert [r.id for r in first if isinstance(r, Snapshot)] == [r.id for r in again if isinstance(r, Snapshot)]
