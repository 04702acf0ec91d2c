"""What is remembered of each customer: her open session and what she bought. The longest silent are forgotten."""

import math
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from schemas.features import DAY_MS

SAME_PURCHASE_MS: Final = DAY_MS // 2
RECENT_HALF_MS: Final = 30 * DAY_MS
OFTEN_FADE: Final = 0.9
# Part of the usual gap after which an item is due, and after which it must be supposed given up.
DUE: Final = 0.7
GIVEN_UP: Final = 3.0
NO_SERIAL: Final = -1
CART: Final = 20


class Bought(Struct, array_like=True, gc=False):
    """An item's purchases by one customer: first and last time, and how many apart from each other.

    `recent` and `often` count them as well, faded with time (as of `last`) and with every order of hers (as of `order`,
    the number of the order that had it last).
    """

    first: int
    last: int
    count: int
    recent: float = 1.0
    often: float = 1.0
    order: int = 0

    def recent_at(self, at: int) -> float:
        """The count that fades with time, as of `at`."""
        return self.recent * float(2.0 ** (-max(0, at - self.last) / RECENT_HALF_MS))

    def often_at(self, order: int) -> float:
        """The count that fades with her orders, as of that of this number."""
        return self.often * float(OFTEN_FADE ** max(0, order - self.order))

    @property
    def gap_ms(self) -> float | None:
        """The mean time between two purchases; None with one."""
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else None

    def fit(self, at: int) -> float | None:
        """How near it is to its usual time (1: right at it); None where it is not due, or has no usual time."""
        gap = self.gap_ms
        part = 0.0 if gap is None else (at - self.last) / gap
        return math.exp(-(math.log(part) ** 2)) if DUE <= part <= GIVEN_UP else None

    def again(self, at: int, order: int = 0) -> None:
        """Bought at `at` as well, in her order of this number; within half a day it is the same purchase."""
        if at > self.last + SAME_PURCHASE_MS:
            self.count += 1
            self.recent = 1.0 + self.recent_at(at)
            self.often = 1.0 + self.often_at(order)
            self.order = order
        self.first, self.last = min(self.first, at), max(self.last, at)


class Shopper(Struct, array_like=True):
    """`session` is when her open session began, `items` its newest, oldest first, `serial` its number if two.

    `orders` is how many she placed, `ordered` when the last; `query` what she searched for last in this session, and
    `followed` how many items she has chosen since.
    """

    session: int = 0
    serial: int = NO_SERIAL
    items: list[str] = field(default_factory=list)
    bought: dict[str, Bought] = field(default_factory=dict)
    cart: list[str] = field(default_factory=list)
    orders: int = 0
    ordered: int = 0
    query: str = ""
    followed: int = 0


class Shoppers:
    """At most `limit` customers, with at most `most` items bought each (those bought most often, then last).

    All together have at most `purchases` of these: the longest silent customers are forgotten first.
    """

    def __init__(self, limit: int, most: int, purchases: int) -> None:
        self.limit = limit
        self.most = most
        self.purchases = purchases
        self.remembered = 0
        self._known: dict[str, Shopper] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[tuple[str, Shopper]]:
        return iter(self._known.items())

    def find(self, customer: str) -> Shopper | None:
        """What is remembered of a customer."""
        return self._known.get(customer)

    def touch(self, customer: str) -> Shopper:
        """The customer, who is now the last to be forgotten."""
        shopper = self._known.pop(customer, None) or Shopper()
        self._known[customer] = shopper
        while len(self._known) > self.limit or (self.remembered > self.purchases and len(self._known) > 1):
            self.forget(next(iter(self._known)))
        return shopper

    def forget(self, customer: str) -> Shopper | None:
        """Drop a customer; what was remembered of her."""
        shopper = self._known.pop(customer, None)
        if shopper is not None:
            self.remembered -= len(shopper.bought)
        return shopper

    def buy(self, shopper: Shopper, item: str, at: int) -> None:
        """She bought an item."""
        if at > shopper.ordered:
            shopper.orders, shopper.ordered = shopper.orders + 1, at
        bought = shopper.bought.get(item)
        if bought is not None:
            bought.again(at, shopper.orders)
            return
        shopper.bought[item] = Bought(at, at, 1, order=shopper.orders)
        self.remembered += 1
        if len(shopper.bought) > self.most:
            del shopper.bought[min(shopper.bought, key=lambda i: _worth(shopper.bought[i], i))]
            self.remembered -= 1

    def carry(self, shopper: Shopper, item: str) -> None:
        """She put an item into the cart, of which the newest are kept."""
        if item not in shopper.cart:
            shopper.cart.append(item)
            del shopper.cart[:-CART]

    def load(self, known: dict[str, Shopper]) -> None:
        """Take over what was remembered, oldest first."""
        self._known = known
        self.remembered = sum(len(shopper.bought) for shopper in known.values())


def _worth(bought: Bought, item: str) -> tuple[int, int, str]:
    return min(bought.count, 2), bought.last, item
