"""Which items come after which, and before: for every item a fixed number of companions, in decayed counts.

Where all places of an item are taken, a newcomer takes that of the weakest: what is often seen together stays.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

EMPTY: Final = -1
AFTER, BEFORE, NEXT = 0, 1, 2


class CoVisits:
    """`ids` [slots, places] and `counts` [slots, places, 3]: after, before, and right after; `totals` [slots, 3]."""

    def __init__(self, limit: int, places: int) -> None:
        self.limit = limit
        self.places = places
        self.ids: NDArray[np.int32] = np.full((0, places), EMPTY, np.int32)
        self.counts: NDArray[np.float32] = np.zeros((0, places, 3), np.float32)
        self.totals: NDArray[np.float32] = np.zeros((0, 3), np.float32)

    def reach(self, slot: int) -> None:
        """Make room up to this slot."""
        have = len(self.ids)
        if slot >= have:
            more = min(self.limit, max(1024, 2 * have, slot + 1)) - have
            self.ids = np.concatenate([self.ids, np.full((more, self.places), EMPTY, np.int32)])
            self.counts = np.concatenate([self.counts, np.zeros((more, self.places, 3), np.float32)])
            self.totals = np.concatenate([self.totals, np.zeros((more, 3), np.float32)])

    def meet(self, slot: int, before: list[int], weight: float) -> None:
        """This item came after those `before` (newest first, of one session): `weight` shared by distance."""
        near: dict[int, float] = {}
        for distance, other in enumerate(before, 1):
            near[other] = near.get(other, 0.0) + weight / distance
        others = np.fromiter(near, np.int64, len(near))
        weights = np.fromiter(near.values(), np.float32, len(near))
        columns = self._where(others, slot)
        self.counts[others, columns, AFTER] += weights
        self.counts[before[0], columns[0], NEXT] += weight
        self.totals[others, AFTER] += weights
        self.totals[before[0], NEXT] += weight
        columns, held = self._places(slot, others)
        self.counts[slot, columns, BEFORE] += weights[held]
        self.totals[slot, BEFORE] += weights.sum()

    def _where(self, rows: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
        """The column of `wanted` in each of these rows, which are different; that of the weakest where it is new."""
        found = self.ids[rows] == wanted
        columns: NDArray[np.int64] = found.argmax(1)
        new = np.flatnonzero(~found[np.arange(len(rows)), columns])
        if len(new):
            counts = self.counts[rows[new]]
            columns[new] = (counts[:, :, AFTER] + counts[:, :, BEFORE]).argmin(1)
            self.ids[rows[new], columns[new]] = wanted
            self.counts[rows[new], columns[new]] = 0.0
        return columns

    def _places(self, row: int, wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The columns in one row of those `wanted`, which are different, and which of them have one."""
        found = self.ids[row] == wanted[:, None]
        columns: NDArray[np.int64] = found.argmax(1)
        held = found[np.arange(len(wanted)), columns]
        new = np.flatnonzero(~held)
        if len(new):
            counts = self.counts[row]
            strength = counts[:, AFTER] + counts[:, BEFORE]
            strength[columns[held]] = np.inf
            new = new[: self.places - int(held.sum())]
            weakest = np.argsort(strength, kind="stable")[: len(new)]
            columns[new] = weakest
            self.ids[row, weakest] = wanted[new]
            counts[weakest] = 0.0
            held[new] = True
        return columns[held], held

    def scale(self, factor: float) -> None:
        """Multiply every count."""
        self.counts *= np.float32(factor)
        self.totals *= np.float32(factor)

    def remove(self, slots: NDArray[np.int64]) -> None:
        """Forget these items, as companions as well."""
        slots = slots[slots < len(self.ids)]
        self.ids[slots] = EMPTY
        self.counts[slots] = 0.0
        self.totals[slots] = 0.0
        gone = np.isin(self.ids, slots)
        self.ids[gone] = EMPTY
        self.counts[gone] = 0.0
