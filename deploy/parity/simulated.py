"""A small generated shop's log, disturbed as real ones are: what neither of the two real logs has is in it.

Clicks, carts, reviews, refunds, promotions and coupons come from `deploy.simulate`; added here are repeats, orders that
are reported twice, updates, cancellations whole and partial, refunds before their order, reviews that were read, and
events that come late.
"""

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import orjson

from deploy.simulate.storefront import Storefront
from stream.sources.event import SourceEvent

START: Final = 1_709_251_200_000  # 2024-03-01
SEED: Final = 11
CUSTOMERS: Final = 80
DAYS: Final = 60
_DAY: Final = 86_400_000
_LATE: Final = 6 * 3_600_000


def simulated(limit: int | None = None) -> list[SourceEvent]:
    """The first `limit` events in order of arrival; always the same."""
    shop = Storefront(SEED, customers=CUSTOMERS, days=DAYS, live_every_s=600)
    rng = random.Random(SEED)
    arrivals: list[tuple[int, int, SourceEvent]] = []
    for event in shop.events(START, START + DAYS * _DAY):
        for delay, sent in disturbed(event, rng):
            arrivals.append((sent.at + delay, len(arrivals), sent))
    return [event for _, _, event in islice(sorted(arrivals, key=lambda arrival: arrival[:2]), limit)]


def disturbed(event: SourceEvent, rng: random.Random) -> Iterator[tuple[int, SourceEvent]]:
    """The event and what else comes of it, each with its delay in ms: how much later than its own time it arrives."""
    yield rng.randrange(_LATE) if rng.random() < 0.1 else 0, event
    if rng.random() < 0.03:
        yield rng.randrange(60_000), event
    message = orjson.loads(event.value)
    if message.get("event") == "Product Reviewed":
        yield from _readings(event, message, rng)
    if event.topic == "orders" and message["event"] == "Order Completed":
        yield from _order(event, message, rng)


def _readings(event: SourceEvent, message: dict[str, Any], rng: random.Random) -> Iterator[tuple[int, SourceEvent]]:
    """A review is read once, some twice, some never; late, as the review itself must have been seen."""
    properties = {"sentiment": round(rng.random(), 4)}
    read = message | {"event": "Review Scored", "messageId": f"{message['messageId']}-read", "properties": properties}
    told = SourceEvent(event.topic, event.key, orjson.dumps(read), event.at)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        yield _LATE + rng.randrange(2 * _DAY), told


def _order(event: SourceEvent, message: dict[str, Any], rng: random.Random) -> Iterator[tuple[int, SourceEvent]]:
    total = message["properties"]["total"]
    if rng.random() < 0.3:  # A webhook reports it as well.
        yield rng.randrange(60_000), _as(event, message, "Order Completed", 2_000, "webhook")
    if rng.random() < 0.1:
        yield 0, _as(event, message, "Order Updated", _DAY, "update", total=round(total / 2, 2))
    if rng.random() < 0.1:
        yield 0, _as(event, message, "Order Cancelled", rng.randrange(_DAY), "cancel", total=None)
    if rng.random() < 0.05:
        yield 0, _as(event, message, "Order Cancelled", 3 * _DAY, "part", total=round(total / 3, 2))
    if rng.random() < 0.1:  # A clock that is behind: the refund comes before its order.
        yield 0, _as(event, message, "Order Refunded", -rng.randrange(_LATE), "early", total=round(total / 4, 2))


def _as(event: SourceEvent, message: dict[str, Any], name: str, after: int, tag: str, **more: object) -> SourceEvent:
    """Another event of the same order, `after` ms after it (never before the shop's first day)."""
    at = max(START, event.at + after)
    properties = {key: value for key, value in (message["properties"] | more).items() if value is not None}
    told = message | {
        "event": name,
        "messageId": f"{message['messageId']}-{tag}",
        "timestamp": at,
        "properties": properties,
    }
    return SourceEvent(event.topic, event.key, orjson.dumps(told), at)
