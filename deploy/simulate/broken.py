"""Broken events among the true ones, one kind after the other: every reason for which the engine refuses an event."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from deploy.simulate.session import SimEvent
from schemas.errors import Reason
from schemas.topics import MAX_EVENT_BYTES


def inject(events: Iterator[SimEvent], share: float, rng: random.Random) -> Iterator[tuple[SimEvent, Reason | None]]:
    """All of `events`, unchanged and in order, each with None; and beside a `share` of them a broken one with why."""
    made = 0
    for event in events:
        yield event, None
        if share and rng.random() < share:
            reason = KINDS[made % len(KINDS)]
            made += 1
            yield SimEvent("clickstream", event.key, spoil(event, reason), event.at), reason


def spoil(event: SimEvent, reason: Reason) -> bytes:
    """A view of a product by the same customer at the same time, broken so that `reason` is why it is refused."""
    true = orjson.loads(event.value)
    view = {key: true[key] for key in ("timestamp", "userId", "anonymousId", "context") if key in true}
    view |= {"type": "track", "event": "Product Viewed", "messageId": f"{true['messageId']}-{reason}"}
    view["properties"] = {"product_id": "sku-broken", "price": 9.99, "quantity": 1}
    return _SPOILERS[reason](view)


def _with(path: str, value: object) -> Callable[[dict[str, Any]], bytes]:
    """Sets `a.b` to a value."""

    def spoiler(view: dict[str, Any]) -> bytes:
        outer, _, inner = path.partition(".")
        if inner:
            view[outer][inner] = value
        else:
            view[outer] = value
        return orjson.dumps(view)

    return spoiler


def _without(*names: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda view: orjson.dumps({key: value for key, value in view.items() if key not in names})


_SPOILERS: dict[Reason, Callable[[dict[str, Any]], bytes]] = {
    Reason.NOT_UTF8: lambda view: orjson.dumps(view).replace(b"sku-broken", b"sku-\xff\xfe"),
    Reason.NOT_JSON: lambda view: orjson.dumps(view)[:-1],
    Reason.MISSING_FIELD: _with("properties", {}),
    Reason.WRONG_TYPE: _with("properties.price", [9.99]),
    Reason.BAD_VALUE: _with("properties.quantity", -3),
    Reason.NEGATIVE_MONEY: _with("properties.price", -9.99),
    Reason.NO_CUSTOMER: _without("userId", "anonymousId"),
    Reason.BAD_TIMESTAMP: _with("timestamp", "yesterday"),
    Reason.TIMESTAMP_TOO_OLD: _with("timestamp", "1970-01-01T00:00:07Z"),
    Reason.TIMESTAMP_AHEAD: _with("timestamp", "2100-01-01T00:00:00Z"),
    Reason.TOO_LARGE: _with("properties.description", "x" * MAX_EVENT_BYTES),
    Reason.EMPTY: lambda _view: b"",
}
KINDS = tuple(_SPOILERS)
