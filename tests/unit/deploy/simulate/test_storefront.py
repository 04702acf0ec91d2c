"""The storefront keeps its promises: order, repeatability, valid events, and a truth that its events bear out."""

import itertools
from collections import Counter, defaultdict

import pytest

from deploy.simulate.customer import DAY_MS, Kind
from deploy.simulate.session import SimEvent
from deploy.simulate.storefront import Storefront
from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.event import Event

START = 1_764_000_000_000
NOW = START + 60 * DAY_MS


@pytest.fixture(scope="module")
def shop() -> tuple[Storefront, list[SimEvent], list[Event]]:
    storefront = Storefront(7, customers=500)
    events = list(storefront.events(START, NOW))
    return storefront, events, [decode(event.value, "USD") for event in events]


Shop = tuple[Storefront, list[SimEvent], list[Event]]


def test_a_customer_gives_about_eighty_events_in_sixty_days(shop: Shop) -> None:
    assert 60 <= len(shop[1]) / 500 <= 90


def test_time_never_goes_back_and_keys_are_customers(shop: Shop) -> None:
    _, events, decoded = shop
    assert all(a.at <= b.at for a, b in itertools.pairwise(events))
    assert all(e.at == d.at and e.key == d.customer.encode() for e, d in zip(events, decoded, strict=True))
    assert START <= events[0].at < events[-1].at < NOW


def test_every_kind_of_event_occurs_and_ids_are_unique(shop: Shop) -> None:
    seen = Counter(event.behaviour for event in shop[2])
    unused = {Behaviour.OTHER, Behaviour.ORDER_UPDATE, Behaviour.CANCEL, Behaviour.REVIEW_SCORED}
    assert set(Behaviour) - set(seen) == unused
    assert len({event.message for event in shop[2]}) == len(shop[2])
    orders = [event.order for event in shop[2] if event.behaviour is Behaviour.ORDER]
    assert len(set(orders)) == len(orders)


def test_orders_add_up(shop: Shop) -> None:
    for event in shop[2]:
        if event.behaviour is Behaviour.ORDER:
            lines = sum(line.quantity * (line.price or 0) for line in event.lines)
            assert (event.amount or 0) + event.discount == lines > 0


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    first, again, other = (list(Storefront(seed, customers=40).events(START, NOW)) for seed in (1, 1, 2))
    assert first == again
    assert [event.value for event in first] != [event.value for event in other]


def test_churners_do_nothing_after_they_left_and_fade_before(shop: Shop) -> None:
    storefront, _, decoded = shop
    times = defaultdict(list)
    for event in decoded:
        # The shop may still pay back what a customer who has left bought before.
        if event.behaviour is not Behaviour.REFUND:
            times[event.customer].append(event.at)
    churners = {key: truth for key, truth in storefront.truth().items() if truth.kind is Kind.CHURNER}
    assert len(churners) > 40
    early = late = 0
    for key, truth in churners.items():
        assert truth.churned_at is not None
        last = max(times[key], default=START)
        assert last < truth.churned_at + 3_600_000
        if truth.churned_at > START + 24 * DAY_MS:
            early += sum(at < START + 10 * DAY_MS for at in times[key])
            late += sum(at > truth.churned_at - 10 * DAY_MS for at in times[key])
    assert late < 0.65 * early


def test_who_stays_goes_on_buying(shop: Shop) -> None:
    storefront, _, decoded = shop
    bought_late = {e.customer for e in decoded if e.behaviour is Behaviour.ORDER and e.at > NOW - 30 * DAY_MS}
    loyal = [key for key, truth in storefront.truth().items() if truth.kind is Kind.LOYAL]
    window = [key for key, truth in storefront.truth().items() if truth.kind is Kind.WINDOW]
    assert sum(key in bought_late for key in loyal) > 0.95 * len(loyal)
    assert not bought_late & set(window)


def test_intent_shows_before_an_order(shop: Shop) -> None:
    """Searches in the two days before an order are many times as frequent as on other days."""
    _, _, decoded = shop
    orders = defaultdict(list)
    for event in decoded:
        if event.behaviour is Behaviour.ORDER:
            orders[event.customer].append(event.at)
    near = far = 0
    for event in decoded:
        if event.behaviour is Behaviour.SEARCH and event.customer in orders:
            if any(0 < at - event.at < 2 * DAY_MS for at in orders[event.customer]):
                near += 1
            else:
                far += 1
    assert near > far


def test_many_look_around_before_they_say_who_they_are(shop: Shop) -> None:
    """Most who sign in have done something on the device within the hour before, and go on with both ids."""
    anonymous: dict[str, int] = {}
    looked, first, both = 0, 0, 0
    for event in shop[2]:
        if not event.known:
            anonymous[event.customer] = event.at
        elif event.behaviour is Behaviour.IDENTIFY:
            first += 1
            looked += event.at - anonymous.get(event.anonymous, 0) < 3_600_000
        both += event.known and bool(event.anonymous)
    assert first > 100
    assert looked > 0.9 * first
    assert both > len(shop[2]) / 2


def test_carts_are_left_behind(shop: Shop) -> None:
    decoded = shop[2]
    adds = Counter(e.customer for e in decoded if e.behaviour is Behaviour.CART_ADD)
    orders = Counter(e.customer for e in decoded if e.behaviour is Behaviour.ORDER)
    assert sum(1 for customer in adds if not orders[customer]) > 20


def test_kits_are_bought_together_more_often_than_chance(shop: Shop) -> None:
    storefront, _, decoded = shop
    kit = {product.sku: product.kit for product in storefront.catalogue.products}
    together = pairs = 0
    for event in decoded:
        if event.behaviour is Behaviour.ORDER:
            for a, b in itertools.combinations(event.lines, 2):
                pairs += 1
                together += kit[a.item] == kit[b.item]
    assert together / pairs > 0.1  # chance: 4 of 299


def test_after_now_something_happens_every_second_or_two() -> None:
    live = [e.at for e in Storefront(7).events(START, NOW + 10 * 60_000) if e.at >= NOW]
    assert 300 < len(live) < 1200
    assert max(b - a for a, b in itertools.pairwise(live)) < 20_000
