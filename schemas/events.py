"""The wire contract: Segment's e-commerce spec V2 as types.

Source: https://segment.com/docs/connections/spec/ecommerce/v2/. Unknown events and unknown properties are
allowed and ignored; a known event must carry what its type requires. Identifiers may be strings or integers,
money and quantities numbers or numeric strings, as the common storefront SDKs send them.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from schemas.behaviours import Behaviour
from schemas.stock import Availability, Said, Stock

Id = Annotated[str, Meta(min_length=1, max_length=256)] | int
Number = int | float | Annotated[str, Meta(max_length=32)]
Text = Annotated[str, Meta(max_length=100_000)]


class Device(Struct, frozen=True, gc=False):
    """`context.device`: only its type (`mobile`, `desktop`, `tablet`, ...) is read."""

    type: str | None = None


class Campaign(Struct, frozen=True, gc=False):
    """`context.campaign`: where the visit came from."""

    source: str | None = None
    medium: str | None = None
    name: str | None = None


class Context(Struct, frozen=True, gc=False):
    """`context`: what is read of it."""

    device: Device | None = None
    campaign: Campaign | None = None
    locale: str | None = None


class Product(Struct, frozen=True, gc=False):
    """One product of a list, a cart or an order; `price` is for one piece."""

    product_id: Id
    price: Number | None = None
    quantity: Number = 1
    category: str | None = None
    brand: str | None = None
    name: str | None = None


class Properties(Struct, frozen=True, gc=False):
    """Base of every event's properties."""


class ProductsSearched(Properties, frozen=True, gc=False):
    query: Text


class Listed(Struct, frozen=True, gc=False):
    """A product of a list that was shown: which one it is. What else is said of it is not read, and refuses nothing."""

    product_id: Id


class ProductListViewed(Properties, frozen=True, gc=False):
    products: list[Listed]
    category: str | None = None


class OneProduct(Properties, frozen=True, gc=False):
    """Product Clicked, Product Viewed, Product Added to Wishlist.

    Whether it can be bought is said by `in_stock`, else `availability`, else `inventory_quantity`; once it cannot, it
    is recommended no more until an event or the topic `catalogue` says that it can.
    """

    product_id: Id
    price: Number | None = None
    quantity: Number = 1
    currency: str | None = None
    category: str | None = None
    brand: str | None = None
    name: str | None = None
    in_stock: Said = None
    availability: Availability = None
    inventory_quantity: Stock = None


class CartChange(Properties, frozen=True, gc=False):
    """Product Added, Product Removed; stock as with a product that is viewed."""

    product_id: Id
    quantity: Number
    price: Number | None = None
    currency: str | None = None
    category: str | None = None
    brand: str | None = None
    name: str | None = None
    in_stock: Said = None
    availability: Availability = None
    inventory_quantity: Stock = None


class CartViewed(Properties, frozen=True, gc=False):
    products: list[Product]
    currency: str | None = None


class CheckoutStarted(Properties, frozen=True, gc=False):
    products: list[Product]
    value: Number
    currency: str | None = None


class PromotionSeen(Properties, frozen=True, gc=False):
    """Promotion Viewed, Promotion Clicked."""

    promotion_id: Id


class CouponApplied(Properties, frozen=True, gc=False):
    coupon_id: Id


class ProductReviewed(Properties, frozen=True, gc=False):
    product_id: Id
    rating: Number
    review_body: Text


class ReviewScored(Properties, frozen=True, gc=False):
    """How content a review reads: 0 not at all, 1 fully. It bears the review's customer and time.

    Footfall sends it to itself; a shop whose own tools read reviews may send it as well.
    """

    sentiment: Number


class OrderCompleted(Properties, frozen=True, gc=False):
    """`total` (or `revenue`) is what the customer paid; `discount` what was taken off before."""

    order_id: Id
    products: list[Product]
    total: Number | None = None
    revenue: Number | None = None
    discount: Number | None = None
    currency: str | None = None


class OrderChanged(Properties, frozen=True, gc=False):
    """Order Updated, Order Cancelled, Order Refunded: `total` when it is partial (or, updated, the new total)."""

    order_id: Id
    total: Number | None = None
    currency: str | None = None


class Envelope(Struct, frozen=True, kw_only=True, gc=False):
    """A message, its properties not looked at yet; `timestamp` is ISO 8601, or epoch seconds or milliseconds."""

    type: str
    timestamp: str | int | float
    messageId: str | None = None
    userId: Id | None = None
    anonymousId: Id | None = None
    context: Context | None = None
    event: str | None = None
    properties: msgspec.Raw = field(default_factory=lambda: msgspec.Raw(b"{}"))


class Spec(Struct, frozen=True):
    """One known event: the topic it belongs on, the type of its properties, and the behaviour it means."""

    topic: str
    properties: type[Properties]
    behaviour: Behaviour


EVENTS: dict[str, Spec] = {
    "Products Searched": Spec("clickstream", ProductsSearched, Behaviour.SEARCH),
    "Product List Viewed": Spec("clickstream", ProductListViewed, Behaviour.LIST_VIEW),
    "Product Clicked": Spec("clickstream", OneProduct, Behaviour.CLICK),
    "Product Viewed": Spec("clickstream", OneProduct, Behaviour.VIEW),
    "Product Added": Spec("clickstream", CartChange, Behaviour.CART_ADD),
    "Product Removed": Spec("clickstream", CartChange, Behaviour.CART_REMOVE),
    "Cart Viewed": Spec("clickstream", CartViewed, Behaviour.CART_VIEW),
    "Checkout Started": Spec("clickstream", CheckoutStarted, Behaviour.CHECKOUT),
    "Promotion Viewed": Spec("clickstream", PromotionSeen, Behaviour.PROMO_VIEW),
    "Promotion Clicked": Spec("clickstream", PromotionSeen, Behaviour.PROMO_CLICK),
    "Coupon Applied": Spec("clickstream", CouponApplied, Behaviour.COUPON),
    "Product Added to Wishlist": Spec("clickstream", OneProduct, Behaviour.WISHLIST),
    "Product Reviewed": Spec("clickstream", ProductReviewed, Behaviour.REVIEW),
    "Review Scored": Spec("clickstream", ReviewScored, Behaviour.REVIEW_SCORED),
    "Order Completed": Spec("orders", OrderCompleted, Behaviour.ORDER),
    "Order Updated": Spec("orders", OrderChanged, Behaviour.ORDER_UPDATE),
    "Order Cancelled": Spec("orders", OrderChanged, Behaviour.CANCEL),
    "Order Refunded": Spec("orders", OrderChanged, Behaviour.REFUND),
}
