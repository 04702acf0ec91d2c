"""One thing a customer did: the form in which every event enters the engine."""

from dataclasses import dataclass

from schemas.behaviours import Behaviour


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
