"""What a customer can do, and one thing she did: the form in which every event enters the engine."""

from dataclasses import dataclass
from enum import IntEnum


class Behaviour(IntEnum):
    """Kinds of behaviour. The numbers are written into stored profiles: never renumber, only append."""

    PAGE = 0
    SEARCH = 1
    LIST_VIEW = 2
    CLICK = 3
    VIEW = 4
    CART_ADD = 5
    CART_REMOVE = 6
    CART_VIEW = 7
    CHECKOUT = 8
    PROMO_VIEW = 9
    PROMO_CLICK = 10
    COUPON = 11
    WISHLIST = 12
    REVIEW = 13
    ORDER = 14
    ORDER_UPDATE = 15
    CANCEL = 16
    REFUND = 17
    IDENTIFY = 18
    OTHER = 19
    REVIEW_SCORED = 20  # what was found out about a review: no behaviour of hers, and never counted as one

    # An enum hashes its name, in Python: every event is looked up several times.
    __hash__ = int.__hash__


@dataclass(slots=True, init=False)
class Line:
    """A product in a behaviour; `price` in minor units for one piece, None when it was not said, nor was `in_stock`."""

    item: str
    quantity: int
    price: int | None
    category: str
    brand: str
    name: str
    in_stock: bool | None

    def __init__(
        self,
        item: str,
        quantity: int = 1,
        price: int | None = None,
        category: str = "",
        brand: str = "",
        name: str = "",
        in_stock: bool | None = None,
    ) -> None:
        self.item = item
        self.quantity = quantity
        self.price = price
        self.category = category
        self.brand = brand
        self.name = name
        self.in_stock = in_stock


@dataclass(slots=True, init=False)
class Event:
    """One behaviour of one customer, validated: `at` is event time in epoch ms, money is in minor units.

    `message` is the 64-bit deduplication key (of the messageId, else of the bytes); `order` that of the order id.
    `amount` is an order's total or a refund's (None: the whole order); `text` a query or a review's words.
    `rating` is a review's; of `REVIEW_SCORED`, which says of a review how content it reads, that (0 to 1).
    `known`: it carried a userId, which is the customer; `anonymous` is then the anonymousId beside it, where one was.
    """

    behaviour: Behaviour
    at: int
    customer: str
    message: int
    known: bool
    anonymous: str
    currency: str
    device: str
    channel: str
    lines: tuple[Line, ...]
    order: int
    amount: int | None
    discount: int
    rating: float
    text: str

    def __init__(
        self,
        behaviour: Behaviour,
        at: int,
        customer: str,
        message: int,
        known: bool = False,
        anonymous: str = "",
        currency: str = "",
        device: str = "",
        channel: str = "",
        lines: tuple[Line, ...] = (),
        order: int = 0,
        amount: int | None = None,
        discount: int = 0,
        rating: float = 0.0,
        text: str = "",
    ) -> None:
        self.behaviour = behaviour
        self.at = at
        self.customer = customer
        self.message = message
        self.known = known
        self.anonymous = anonymous
        self.currency = currency
        self.device = device
        self.channel = channel
        self.lines = lines
        self.order = order
        self.amount = amount
        self.discount = discount
        self.rating = rating
        self.text = text
