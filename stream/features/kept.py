"""What a profile keeps in its lists, each as it came: behaviours, changes of the cart, orders, reviews as they read."""

from typing import NamedTuple

from msgspec import Struct


class Moment(Struct, frozen=True, array_like=True, order=True, gc=False):
    """One behaviour; ordered by (at, message)."""

    at: int
    message: int
    behaviour: int
    item: str = ""
    category: str = ""
    brand: str = ""
    amount: int = 0
    pieces: int = 0
    words: str = ""


class CartOp(Struct, frozen=True, array_like=True, order=True, gc=False):
    """Pieces of an item put into the cart (or, negative, taken out), at a price in minor units."""

    at: int
    message: int
    item: str
    pieces: int
    price: int = 0


class Sentiment(NamedTuple):
    """How content a review reads, 0 to 1; one a review, of several the highest."""

    at: int
    message: int
    content: float


class Entry(Struct, array_like=True, gc=False):
    """One order as far as it is known: a refund may come before its order, an order twice."""

    at: int = 0
    total: int = 0
    pieces: int = 0
    discount: int = 0
    currency: str = ""
    refunded: int = 0
    placed: bool = False
    cancelled: bool = False
    returned: bool = False
    updated: int = 0
