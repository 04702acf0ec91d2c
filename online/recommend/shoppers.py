"""What is remembered of each customer: her open session and what she bought. The longest silent are forgotten."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from schemas.features import DAY_MS

SAME_PURCHASE_MS: Final = DAY_MS // 2
NO_SERIAL: Final = -1
CART: Final = 20


class Bought(Struct, array_like=True):
    """An item's purchases by one customer: first and last time, and how many apart from each other."""

    first: int
    last: int
    count: int

    @property
    def gap_ms(self) -> float | None:
        """The mean time between two purchases; None with one."""
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else None

    def again(self, at: int) -> None:
        """Bought at `at` as well; within half a day it is the same purchase."""
        if at > self.last + SAME_PURCHASE_MS:
            self.count += 1
        self.first, self.last = min(self.first, at), max(self.last, at)


class Shopper(Struct, array_like=True):
    """`session` is when her open session began, `items` its newest, oldest first, `serial` its number if two."""

    session: int = 0
    serial: int = NO_SERIAL
    items: list[str] = field(default_factory=list)
    bought: dict[str, Bought] = field(default_factory=dict)
    cart: list[str] = field(default_factory=list)


class Shoppers:
    """At most `limit` customers, with at most `most` items bought each: those bought most often, then last."""

    def __init__(self, limit: int, most: int) -> None:
        self.limit = limit
        self.most = most
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
        if len(self._known) > self.limit:
            del self._known[next(iter(self._known))]
        return shopper

    def forget(self, customer: str) -> Shopper | None:
        """Drop a customer; what was remembered of her."""
        return self._known.pop(customer, None)

    def buy(self, shopper: Shopper, item: str, at: int) -> None:
        """She bought an item."""
        bought = shopper.bought.get(item)
        if bought is None:
            shopper.bought[item] = Bought(at, at, 1)
            if len(shopper.bought) > self.most:
                del shopper.bought[min(shopper.bought, key=lambda i: _worth(shopper.bought[i], i))]
        else:
            bought.again(at)

    def carry(self, shopper: Shopper, item: str) -> None:
        """She put an item into the cart, of which the newest are kept."""
        if item not in shopper.cart:
            shopper.cart.append(item)
            del shopper.cart[:-CART]

    def load(self, known: dict[str, Shopper]) -> None:
        """Take over what was remembered, oldest first."""
        self._known = known


def _worth(bought: Bought, item: str) -> tuple[int, int, str]:
    return min(bought.count, 2), bought.last, item
