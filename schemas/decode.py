"""From bytes on a topic to an `Event`, or a `Rejected` that says why not and where."""

import datetime
import hashlib
import math
from collections.abc import Callable
from typing import Final

import msgspec

from schemas.behaviours import Behaviour, Event, Line
from schemas.errors import Reason, Rejected
from schemas.events import (
    EVENTS,
    CartChange,
    CartViewed,
    CheckoutStarted,
    CouponApplied,
    Envelope,
    Number,
    OneProduct,
    OrderChanged,
    OrderCompleted,
    Product,
    ProductListViewed,
    ProductReviewed,
    ProductsSearched,
    PromotionSeen,
    Properties,
)
from schemas.money import to_minor
from schemas.topics import MAX_EVENT_BYTES

EARLIEST: Final = 946_684_800_000  # 2000-01-01: before it, a timestamp is a unit mistake or an unset clock.
LATEST: Final = 253_402_300_799_999  # The end of the year 9999, where ISO 8601 without an agreement ends.
MAX_QUANTITY: Final = 1_000_000

_envelope = msgspec.json.Decoder(Envelope)
_properties = {spec.properties: msgspec.json.Decoder(spec.properties) for spec in EVENTS.values()}
_utc = datetime.UTC


def hash64(text: str | bytes) -> int:
    """A stable 63-bit hash (BLAKE2b), positive so that every store and format can hold it."""
    raw = text.encode() if isinstance(text, str) else text
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big") >> 1


def parse_time(value: str | int | float) -> int:
    """Epoch milliseconds of an ISO 8601 text (no zone means UTC), or of epoch seconds or milliseconds.

    >>> parse_time("2024-05-01T12:00:00Z") == parse_time(1714564800) == parse_time(1714564800000)
    True
    """
    at = epoch_ms(value)
    if at > LATEST:
        raise Rejected(Reason.BAD_TIMESTAMP, f"{value!r} lies after the year 9999", "$.timestamp")
    if at < EARLIEST:
        raise Rejected(Reason.TIMESTAMP_TOO_OLD, f"{value!r} lies before the year 2000", "$.timestamp")
    return at


def epoch_ms(value: str | int | float) -> int:
    """`parse_time` for any year: a clock that was never set is good enough to measure a span with."""
    try:
        if isinstance(value, str):
            moment = datetime.datetime.fromisoformat(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=_utc)
            return round(moment.timestamp() * 1000)
        return round(value * 1000) if abs(value) < 1e11 else round(value)
    except (ValueError, OverflowError) as error:
        raise Rejected(Reason.BAD_TIMESTAMP, f"{value!r} is no time", "$.timestamp") from error


def decode(raw: bytes | None, currency: str) -> Event:
    """The event that `raw` says; `currency` is assumed where it names none. Raises `Rejected`."""
    if not raw:
        raise Rejected(Reason.EMPTY, "the message has no value")
    if len(raw) > MAX_EVENT_BYTES:
        raise Rejected(Reason.TOO_LARGE, f"{len(raw)} bytes; an event has at most {MAX_EVENT_BYTES}")
    try:
        envelope = _envelope.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise explain(error, raw) from None
    return normalise(envelope, raw, currency)


def normalise(envelope: Envelope, raw: bytes, currency: str) -> Event:
    """The event of a decoded envelope; `raw` is hashed where there is no messageId."""
    user = "" if envelope.userId is None else str(envelope.userId)
    anonymous = "" if envelope.anonymousId is None else str(envelope.anonymousId)
    if not (user or anonymous):
        raise Rejected(Reason.NO_CUSTOMER, "neither userId nor anonymousId is set")
    event = Event(
        behaviour=Behaviour.OTHER,
        at=parse_time(envelope.timestamp),
        customer=user or anonymous,
        message=hash64(envelope.messageId or raw),
        known=bool(user),
        anonymous=anonymous if user else "",
        currency=currency,
    )
    _add_context(event, envelope)
    if envelope.type == "track":
        if envelope.event is None:
            raise Rejected(Reason.MISSING_FIELD, "a track message names its event", "$.event")
        spec = EVENTS.get(envelope.event)
        if spec is not None:
            event.behaviour = spec.behaviour
            _fill(event, _decode_properties(envelope, spec.properties))
    elif envelope.type == "identify":
        event.behaviour = Behaviour.IDENTIFY
    elif envelope.type == "page":
        event.behaviour = Behaviour.PAGE
    return event


def explain(error: Exception, raw: bytes, prefix: str = "$") -> Rejected:
    """The `Rejected` for what the decoder refused, with the JSON path of the field."""
    message = str(error)
    if isinstance(error, UnicodeDecodeError) or not _is_utf8(raw):
        return Rejected(Reason.NOT_UTF8, "the bytes are not UTF-8")
    if not isinstance(error, msgspec.ValidationError):
        return Rejected(Reason.NOT_JSON, message)
    detail, _, path = message.partition(" - at `")
    path = prefix + path.rstrip("`").removeprefix("$")
    if detail.startswith("Object missing required field"):
        name = detail.split("`")[1]
        return Rejected(Reason.MISSING_FIELD, f"`{name}` is required", f"{path}.{name}")
    reason = Reason.WRONG_TYPE if ", got " in detail else Reason.BAD_VALUE
    return Rejected(reason, detail, path)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode_properties(envelope: Envelope, kind: type[Properties]) -> Properties:
    raw = bytes(envelope.properties)
    try:
        return _properties[kind].decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise explain(error, raw, "$.properties") from None


def _add_context(event: Event, envelope: Envelope) -> None:
    context = envelope.context
    if context is None:
        return
    if context.device is not None and context.device.type:
        event.device = context.device.type.lower()[:32]
    if context.campaign is not None:
        event.channel = (context.campaign.medium or context.campaign.source or "").lower()[:32]


def _quantity(value: Number, path: str) -> int:
    try:
        quantity = float(value)
    except ValueError as error:
        raise Rejected(Reason.BAD_VALUE, f"{value!r} is no quantity", path) from error
    if not 0 <= quantity <= MAX_QUANTITY:
        raise Rejected(Reason.BAD_VALUE, f"{value!r} is no quantity of 0 to {MAX_QUANTITY}", path)
    # Goods sold by weight: part of a piece is one piece in the cart.
    return math.ceil(quantity)


def _line(product: Product | OneProduct | CartChange, currency: str, path: str) -> Line:
    price = product.price
    return Line(
        str(product.product_id),
        _quantity(product.quantity, f"{path}.quantity"),
        None if price is None else to_minor(price, currency, f"{path}.price"),
        (product.category or "")[:64],
        (product.brand or "")[:64],
        (product.name or "")[:128],
    )


def _lines(products: list[Product], currency: str) -> tuple[Line, ...]:
    return tuple(_line(p, currency, f"$.properties.products[{i}]") for i, p in enumerate(products))


def _set_currency(event: Event, currency: str | None) -> None:
    if currency:
        if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
            raise Rejected(Reason.BAD_VALUE, f"{currency!r} is no ISO 4217 currency code", "$.properties.currency")
        event.currency = currency.upper()


def _search(event: Event, p: ProductsSearched) -> None:
    event.text = p.query


def _list(event: Event, p: ProductListViewed) -> None:
    event.lines = _lines(p.products, event.currency)


def _one(event: Event, p: OneProduct | CartChange) -> None:
    _set_currency(event, p.currency)
    event.lines = (_line(p, event.currency, "$.properties"),)


def _cart(event: Event, p: CartViewed) -> None:
    _set_currency(event, p.currency)
    event.lines = _lines(p.products, event.currency)


def _checkout(event: Event, p: CheckoutStarted) -> None:
    _set_currency(event, p.currency)
    event.lines = _lines(p.products, event.currency)
    event.amount = to_minor(p.value, event.currency, "$.properties.value")


def _promotion(event: Event, p: PromotionSeen) -> None:
    event.text = str(p.promotion_id)


def _coupon(event: Event, p: CouponApplied) -> None:
    event.text = str(p.coupon_id)


def _review(event: Event, p: ProductReviewed) -> None:
    try:
        rating = float(p.rating)
    except ValueError as error:
        raise Rejected(Reason.BAD_VALUE, f"{p.rating!r} is no rating", "$.properties.rating") from error
    if not 0 <= rating <= 100:
        raise Rejected(Reason.BAD_VALUE, f"{p.rating!r} is no rating of 0 to 100", "$.properties.rating")
    event.rating = rating
    event.text = p.review_body
    event.lines = (Line(str(p.product_id)),)


def _order(event: Event, p: OrderCompleted) -> None:
    _set_currency(event, p.currency)
    total, name = (p.total, "total") if p.total is not None else (p.revenue, "revenue")
    if total is None:
        raise Rejected(Reason.MISSING_FIELD, "an order has `total` or `revenue`", "$.properties.total")
    event.amount = to_minor(total, event.currency, f"$.properties.{name}")
    event.discount = to_minor(p.discount or 0, event.currency, "$.properties.discount")
    event.lines = _lines(p.products, event.currency)
    event.order = hash64(str(p.order_id))


def _order_change(event: Event, p: OrderChanged) -> None:
    _set_currency(event, p.currency)
    if p.total is not None:
        event.amount = to_minor(p.total, event.currency, "$.properties.total")
    event.order = hash64(str(p.order_id))


_FILL: dict[type[Properties], Callable[[Event, Properties], None]] = {
    ProductsSearched: _search,  # type: ignore[dict-item]
    ProductListViewed: _list,  # type: ignore[dict-item]
    OneProduct: _one,  # type: ignore[dict-item]
    CartChange: _one,  # type: ignore[dict-item]
    CartViewed: _cart,  # type: ignore[dict-item]
    CheckoutStarted: _checkout,  # type: ignore[dict-item]
    PromotionSeen: _promotion,  # type: ignore[dict-item]
    CouponApplied: _coupon,  # type: ignore[dict-item]
    ProductReviewed: _review,  # type: ignore[dict-item]
    OrderCompleted: _order,  # type: ignore[dict-item]
    OrderChanged: _order_change,  # type: ignore[dict-item]
}


def _fill(event: Event, properties: Properties) -> None:
    _FILL[type(properties)](event, properties)
