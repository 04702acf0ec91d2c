"""What is chosen after which search: for every term of a query the items that were looked at or bought next.

Decayed counts, a fixed number of items for each term; where all places of a term are taken, a newcomer takes that of
the weakest. The terms said least lately give way to new ones.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from online.recommend.slots import Slots
from online.recommend.terms import terms

Floats = NDArray[Any]

EMPTY: Final = -1
PLACES: Final = 32
# One in this many terms is forgotten when there is no room for a new one.
FORGOTTEN: Final = 16


class Searches:
    """`ids` [terms, places] are items by their slots, `counts` [terms, places] theirs, `totals` [terms] of all."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.terms = Slots(limit)
        self.ids: NDArray[np.int32] = np.zeros((0, PLACES), np.int32)
        self.counts: NDArray[np.float32] = np.zeros((0, PLACES), np.float32)
        self.totals: NDArray[np.float32] = np.zeros(0, np.float32)

    def chosen(self, query: str, slot: int, weight: float) -> None:
        """After this search somebody chose this item."""
        for term in terms(query):
            row = self._row(term)
            ids, counts = self.ids[row], self.counts[row]
            found = np.flatnonzero(ids == slot)
            place = int(found[0]) if len(found) else int(counts.argmin())
            if not len(found):
                ids[place], counts[place] = slot, 0.0
            counts[place] += weight
            self.totals[row] += weight

    def after(self, query: str, smooth: float) -> tuple[NDArray[np.int64], Floats]:
        """The items chosen after searches with these terms [n], ascending, and how strongly each is meant [n].

        Of each term the share of the item among all that was chosen, `smooth` more than there was: a term that means
        everything says little of anything.
        """
        rows = [row for term in terms(query) if (row := self.terms.find(term)) is not None]
        if not rows:
            return np.zeros(0, np.int64), np.zeros(0)
        ids = self.ids[rows]
        shares = self.counts[rows] / (self.totals[rows, None] + smooth)
        known = ids != EMPTY
        slots, place = np.unique(ids[known].astype(np.int64), return_inverse=True)
        return slots, np.bincount(place, shares[known], len(slots))

    def scale(self, factor: float) -> None:
        """Multiply every count."""
        self.counts *= np.float32(factor)
        self.totals *= np.float32(factor)

    def remove(self, slots: NDArray[np.int64]) -> None:
        """Forget these items."""
        gone = np.isin(self.ids, slots)
        self.ids[gone] = EMPTY
        self.counts[gone] = 0.0

    def load(self, names: Sequence[str]) -> None:
        """Make room for these terms, in order of their rows."""
        self.terms = Slots.load(list(names), self.limit)
        self._reach(len(names) - 1)

    def _row(self, term: str) -> int:
        if term not in self.terms and self.terms.full:
            self._forget()
        row = self.terms.add(term)
        self._reach(row)
        return row

    def _forget(self) -> None:
        """The weakest terms go; counts fade, so that these are the ones not said for long, or seldom."""
        used = np.array([row for row, name in enumerate(self.terms.dump()) if name], np.int64)
        order = np.lexsort((-used, self.totals[used]))
        gone = used[order[: max(1, len(used) // FORGOTTEN)]]
        self.terms.remove(gone.tolist())
        self.ids[gone] = EMPTY
        self.counts[gone] = 0.0
        self.totals[gone] = 0.0

    def _reach(self, row: int) -> None:
        have = len(self.ids)
        if row < have:
            return
        more = min(self.limit, max(256, 2 * have, row + 1)) - have
        self.ids = np.concatenate([self.ids, np.full((more, PLACES), EMPTY, np.int32)])
        self.counts = np.concatenate([self.counts, np.zeros((more, PLACES), np.float32)])
        self.totals = np.concatenate([self.totals, np.zeros(more, np.float32)])
