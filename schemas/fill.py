"""The properties of a known event, as fields of an `Event`; raises `Rejected` where a value is none."""

import math
from collections.abc import Callable
from sys import intern
from typing import Final

from schemas.errors import Reason, Rejected
from schemas.event import Event, Line
from schemas.events import (
    CartChange,
    CartViewed,
    CheckoutStarted,
    CouponApplied,
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
    ReviewScored,
)
from schemas.hashing import hash64
from schemas.money import to_minor
from schemas.stock import in_stock

MAX_QUANTITY: Final = 1_000_000


def _quantity(value: Number) -> int:
    try:
        quantity = float(value)
    except ValueError as error:
        raise Rejected(Reason.BAD_VALUE, f"{value!r} is no quantity", ".quantity") from error
    if not 0 <= quantity <= MAX_QUANTITY:
        raise Rejected(Reason.BAD_VALUE, f"{value!r} is no quantity of 0 to {MAX_QUANTITY}", ".quantity")
    # Goods sold by weight: part of a piece is one piece in the cart.
    return math.ceil(quantity)


def _line(product: Product | OneProduct | CartChange, currency: str) -> Line:
    """Raises `Rejected` with a path that begins at the product."""
    price, quantity = product.price, product.quantity
    category, brand, name = product.category, product.brand, product.name
    # Many customers look at one product: its words are kept once, not once for each who did.
    return Line(
        intern(str(product.product_id)),
        quantity if type(quantity) is int and 0 <= quantity <= MAX_QUANTITY else _quantity(quantity),
        None if price is None else to_minor(price, currency, ".price"),
        intern(category[:64]) if category else "",
        intern(brand[:64]) if brand else "",
        intern(name[:128]) if name else "",
    )


def _lines(products: list[Product], currency: str) -> tuple[Line, ...]:
    lines: list[Line] = []
    for product in products:
        try:
            line = _line(product, currency)
        except Rejected as rejected:
            raise rejected.within(f"$.properties.products[{len(lines)}]") from rejected.__cause__
        lines.append(line)
    return tuple(lines)


def _set_currency(event: Event, currency: str | None) -> None:
    if currency and currency != event.currency:
        if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
            raise Rejected(Reason.BAD_VALUE, f"{currency!r} is no ISO 4217 currency code", "$.properties.currency")
        event.currency = currency.upper()


def _search(event: Event, p: ProductsSearched) -> None:
    event.text = p.query


def _nothing(event: Event, p: ProductListViewed) -> None:
    """What a list showed her is no choice of hers: its products are not read."""


def _one(event: Event, p: OneProduct | CartChange) -> None:
    if p.currency:
        _set_currency(event, p.currency)
    try:
        line = _line(p, event.currency)
    except Rejected as rejected:
        raise rejected.within("$.properties") from rejected.__cause__
    if not (p.in_stock is p.availability is p.inventory_quantity is None):
        line.in_stock = in_stock(p.in_stock, p.availability, p.inventory_quantity)
    event.lines = (line,)


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


def _review_scored(event: Event, p: ReviewScored) -> None:
    try:
        sentiment = float(p.sentiment)
    except ValueError as error:
        raise Rejected(Reason.BAD_VALUE, f"{p.sentiment!r} is no sentiment", "$.properties.sentiment") from error
    if not 0 <= sentiment <= 1:
        raise Rejected(Reason.BAD_VALUE, f"{p.sentiment!r} is no sentiment of 0 to 1", "$.properties.sentiment")
    event.rating = sentiment


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


FILL: dict[type[Properties], Callable[[Event, Properties], None]] = {
    ProductsSearched: _search,  # type: ignore[dict-item]
    ProductListViewed: _nothing,  # type: ignore[dict-item]
    OneProduct: _one,  # type: ignore[dict-item]
    CartChange: _one,  # type: ignore[dict-item]
    CartViewed: _cart,  # type: ignore[dict-item]
    CheckoutStarted: _checkout,  # type: ignore[dict-item]
    PromotionSeen: _promotion,  # type: ignore[dict-item]
    CouponApplied: _coupon,  # type: ignore[dict-item]
    ProductReviewed: _review,  # type: ignore[dict-item]
    ReviewScored: _review_scored,  # type: ignore[dict-item]
    OrderCompleted: _order,  # type: ignore[dict-item]
    OrderChanged: _order_change,  # type: ignore[dict-item]
}
