"""The sources of recommendations: what each would show a customer, and how strongly (0 to 1), the best first.

What she has is never among it unless it is due to be bought again, and what is sold out is never among it.
"""

import math
from collections.abc import Set
from itertools import islice
from typing import Final

import numpy as np

from online.recommend.baskets import Baskets
from online.recommend.memory import Memory
from online.recommend.popular import HOT, Popular, Shares
from online.recommend.sequel import Sequel
from online.recommend.shelf import Good, Shelf
from online.recommend.visit import Visit

SOURCES: Final[tuple[str, ...]] = ("buy_again", "together", "similar", "trending", "searched")
# What a source shows first, by which it is judged.
FIRST: Final = 10

# Of what came into a group last so many are looked at, however few have seen them.
NEW: Final = 20
# What an item that nobody has seen is worth beside the most popular of its like.
UNSEEN: Final = 0.2
# How much it says of being alike: category, brand, price.
ALIKE: Final = (2.0, 1.0, 1.0)


class Sources:
    """Asks what is remembered of items; nothing is changed by it."""

    def __init__(self, memory: Memory, sequel: Sequel, popular: Popular, baskets: Baskets, shelf: Shelf) -> None:
        self._memory = memory
        self._sequel = sequel
        self._popular = popular
        self._baskets = baskets
        self._shelf = shelf

    def first(self, visit: Visit) -> dict[str, list[str]]:
        """What each source would show first, whichever is shown."""
        return {source: [item for item, _ in shares][:FIRST] for source, shares in self.all(visit, FIRST).items()}

    def all(self, visit: Visit, most: int) -> dict[str, Shares]:
        """At most `most` items of each source; twice as many popular ones, of which others may have some already."""
        barred = visit.barred()
        return {
            "buy_again": self.buy_again(visit, most),
            "together": self.together(visit, barred, most),
            "similar": self.similar(visit, barred, most),
            "trending": self.trending(barred, 2 * most),
            "searched": self.searched(visit, barred, most),
        }

    def buy_again(self, visit: Visit, most: int) -> Shares:
        """Items that she buys regularly and whose usual time has come, the likeliest in her next order first."""
        fits = {
            item: fit
            for item, bought in visit.bought.items()
            if item not in visit.cart and (fit := bought.fit(visit.at)) is not None and not self._shelf.lacks(item)
        }
        if not fits:
            return []
        likely = self._baskets.compare({item: visit.bought[item] for item in fits}, visit.orders, visit.at)
        # The likeliest counts as much as the one whose time fits best.
        best, highest = max(fits.values()), max(likely.values()) or 1.0
        return _best([(item, best * share / highest) for item, share in likely.items()], most)

    def together(self, visit: Visit, barred: Set[str], most: int) -> Shares:
        """What others chose next after what she did last; what she looks at now is not proposed."""
        found = self._sequel.after(list(visit.session), visit.at, 2 * most + 1)
        # What is very old has faded to nothing, and says nothing about what goes with what.
        found = [(item, share) for item, share in found if item != visit.last and share > 0.0]
        best = found[0][1] if found else 1.0
        return self._allowed([(item, share / best) for item, share in found], barred, most)

    def similar(self, visit: Visit, barred: Set[str], most: int) -> Shares:
        """Items like the one she looked at last: by category, brand and price, the popular and the new ones."""
        liked = self._shelf.find(visit.last)
        known: dict[str, float] = {}
        for group in liked.groups():
            for item, share in self._popular.of_group(group):
                known[item] = max(share, known.get(item, 0.0))
            for item in self._shelf.newest(group, NEW):
                known.setdefault(item, 0.0)
        known.pop(visit.last, None)
        find = self._shelf.find
        found = [(item, alike(liked, find(item)) * (UNSEEN + (1 - UNSEEN) * share)) for item, share in known.items()]
        return self._allowed(_best(found, len(found)), barred, most)

    def trending(self, barred: Set[str], most: int, among: int = HOT) -> Shares:
        """The most popular items now, of the first `among`."""
        return self._allowed(self._popular.trending(among), barred, most)

    def searched(self, visit: Visit, barred: Set[str], most: int) -> Shares:
        """What others chose after searches like hers."""
        if not visit.query:
            return []
        slots, strengths = self._memory.searches.after(visit.query, self._memory.smooth)
        best = np.argsort(-strengths, kind="stable")
        strongest = float(strengths[best[0]]) if len(best) else 0.0
        if not strongest > 0.0:
            return []
        name = self._memory.slots.name
        found = [(name(int(slots[i])), float(strengths[i]) / strongest) for i in best]
        return self._allowed([(item, share) for item, share in found if item != visit.last], barred, most)

    def _allowed(self, found: Shares, barred: Set[str], most: int) -> Shares:
        lacks = self._shelf.lacks
        return list(islice(((item, share) for item, share in found if item not in barred and not lacks(item)), most))


def alike(one: Good, other: Good) -> float:
    """How much an item is like `one`, of what is known of it: from 0 to 1.

    A price half or twice as high is half alike; so is one that is not known.
    """
    category, brand, price = ALIKE
    known = found = 0.0
    if one.category:
        known += category
        found += category * (one.category == other.category)
    if one.brand:
        known += brand
        found += brand * (one.brand == other.brand)
    if one.price:
        known += price
        found += price * (2.0 ** -abs(math.log2(other.price / one.price)) if other.price else 0.5)
    return found / known if known else 0.0


def _best(found: Shares, most: int) -> Shares:
    return sorted(found, key=lambda one: (-one[1], one[0]))[:most]
