"""What is said of items: category, brand, price, and whether they can be bought. Items that nobody saw yet as well."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from msgspec import Struct

NEVER: Final = -(2**62)
# One in this many items is forgotten when there is no room for a new one.
FORGOTTEN: Final = 16


class Group(NamedTuple):
    """Items of one `kind` (`category` or `brand`) and name."""

    kind: str
    name: str


class Good(Struct, array_like=True, gc=False):
    """What was last said of an item; `price` in minor units, 0 where it is not known; `told` is when of its stock."""

    category: str = ""
    brand: str = ""
    price: int = 0
    sold_out: bool = False
    told: int = NEVER

    def groups(self) -> list[Group]:
        """The groups that it is in."""
        return [Group(kind, name) for kind, name in (("category", self.category), ("brand", self.brand)) if name]


NOTHING: Final = Good()


class Shelf:
    """At most `limit` items; those that are not `in_use` (known to the index) and were placed longest ago go first."""

    def __init__(self, limit: int, in_use: Callable[[str], bool]) -> None:
        self.limit = limit
        self.sold_out = 0
        self._in_use = in_use
        self._goods: dict[str, Good] = {}
        self._groups: dict[Group, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._goods)

    def __iter__(self) -> Iterator[tuple[str, Good]]:
        return iter(self._goods.items())

    def find(self, item: str) -> Good:
        """What is known of an item."""
        return self._goods.get(item, NOTHING)

    def lacks(self, item: str) -> bool:
        """Whether it cannot be bought, as far as was said."""
        return self.find(item).sold_out

    def place(self, item: str, category: str, brand: str, price: int | None) -> list[Group] | None:
        """This is what an item is, as far as it is said; the groups that it has left, None where it stays in all."""
        good = self._goods.get(item)
        if good is None:
            if not (category or brand or price):
                return None
            good = self._add(item)
        if price:
            good.price = price
        if (not category or category == good.category) and (not brand or brand == good.brand):
            return None
        before = good.groups()
        good.category, good.brand = category or good.category, brand or good.brand
        after = good.groups()
        left = [group for group in before if group not in after]
        self._leave(item, left)
        # Last among all as among its groups: which items are new follows from one order.
        self._goods[item] = self._goods.pop(item)
        for group in after:
            members = self._groups.setdefault(group, {})
            members.pop(item, None)
            members[item] = None
        return left

    def stock(self, item: str, there: bool, at: int) -> None:
        """At `at` (epoch ms) it could be bought, or not; what is said of the latest time stands."""
        good = self._goods.get(item)
        if good is None:
            good = self._add(item)
        if at >= good.told:
            self.sold_out += (not there) - good.sold_out
            good.sold_out, good.told = not there, at

    def members(self, group: Group) -> Iterator[str]:
        """The items of a group, the newest last."""
        return iter(self._groups.get(group, ()))

    def newest(self, group: Group, n: int) -> list[str]:
        """The items that came into a group last, the newest first."""
        return list(islice(reversed(self._groups.get(group, {})), n))

    def load(self, goods: dict[str, Good]) -> None:
        """Take over what was known, in its order."""
        self._goods = goods
        self._groups = {}
        self.sold_out = sum(good.sold_out for good in goods.values())
        for item, good in goods.items():
            for group in good.groups():
                self._groups.setdefault(group, {})[item] = None

    def _add(self, item: str) -> Good:
        if len(self._goods) >= self.limit:
            idle = (known for known in self._goods if not self._in_use(known))
            for known in list(islice(idle, max(1, self.limit // FORGOTTEN))):
                good = self._goods.pop(known)
                self.sold_out -= good.sold_out
                self._leave(known, good.groups())
        good = self._goods[item] = Good()
        return good

    def _leave(self, item: str, groups: list[Group]) -> None:
        for group in groups:
            members = self._groups[group]
            del members[item]
            if not members:
                del self._groups[group]
