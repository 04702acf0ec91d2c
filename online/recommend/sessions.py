"""The newest sessions, and for each item the newest of those that it was in. Bounded: a ring of rows.

Source of the layout: Kersbergen et al. 2022, Serenade (VMIS-kNN): an inverted index item -> newest sessions.
"""

from array import array
from typing import Final

import numpy as np
from numpy.typing import NDArray

LENGTH: Final = 20
EMPTY: Final = -1


class Sessions:
    """Rows of item slots, oldest item first, padded with `EMPTY`. A serial's row is serial % rows."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.next = 0
        self.items: NDArray[np.int32] = np.full((0, LENGTH), EMPTY, np.int32)
        self.lengths: NDArray[np.int32] = np.zeros(0, np.int32)
        self.at: NDArray[np.int64] = np.zeros(0, np.int64)
        self._postings: dict[int, array[int]] = {}

    def begin(self, at: int) -> int:
        """Begin a session at `at` (epoch ms), in the row of the oldest when all are taken; its serial."""
        serial = self.next
        row = serial % self.rows
        if row >= len(self.items):
            self._grow()
        elif serial >= self.rows:
            self._clear(serial - self.rows)
        self.at[row] = at
        self.next = serial + 1
        return serial

    @property
    def held(self) -> int:
        """How many sessions there are."""
        return min(self.next, self.rows)

    @property
    def posted(self) -> int:
        """How many entries all postings have together."""
        return sum(map(len, self._postings.values()))

    def holds(self, serial: int) -> bool:
        """Whether the session is still in the ring."""
        return max(0, self.next - self.rows) <= serial < self.next

    def row(self, serials: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of sessions that are still in the ring."""
        rows = serials - self.next // self.rows * self.rows
        rows[rows < 0] += self.rows
        return rows

    def append(self, serial: int, slot: int) -> None:
        """The session goes on with this item; of a long one the first items are given up."""
        row = serial % self.rows
        items, length = self.items[row], int(self.lengths[row])
        known = bool((items[:length] == slot).any())
        if length == LENGTH:
            first = int(items[0])
            items[:-1] = items[1:]
            items[-1] = slot
            if not (items == first).any():
                self._unpost(first, serial)
        else:
            items[length] = slot
            self.lengths[row] = length + 1
        if not known:
            self._postings.setdefault(slot, array("q")).append(serial)

    def of(self, slot: int, most: int) -> NDArray[np.int64]:
        """The serials of the newest sessions with this item, at most `most`, oldest first."""
        posting = self._postings.get(slot)
        return np.zeros(0, np.int64) if posting is None else np.frombuffer(posting, np.int64)[-most:].copy()

    def count(self, slot: int) -> int:
        """How many of the sessions have this item."""
        posting = self._postings.get(slot)
        return 0 if posting is None else len(posting)

    def counts(self, slots: list[int]) -> list[int]:
        """How many of the sessions have each of these items."""
        get = self._postings.get
        return [len(get(slot, ())) for slot in slots]

    def remove(self, slots: NDArray[np.int64]) -> None:
        """Take these items out of every session."""
        gone = np.isin(self.items, slots)
        for row in np.flatnonzero(gone.any(1)):
            left = self.items[row][~gone[row] & (self.items[row] != EMPTY)]
            self.items[row] = EMPTY
            self.items[row, : len(left)] = left
            self.lengths[row] = len(left)
        for slot in slots.tolist():
            self._postings.pop(slot, None)

    def reserve(self, following: int) -> int:
        """Make room for all sessions before this serial that fit; how many."""
        if following < 0:
            raise ValueError("a session's number is negative")
        self.next = following
        while len(self.items) < self.held:
            self._grow()
        return self.held

    def index(self, rows: int) -> None:
        """Find anew which sessions have which items, from the first `rows` rows."""
        self.lengths[:rows] = (self.items[:rows] != EMPTY).sum(1)
        self._postings.clear()
        for serial in range(self.next - rows, self.next):
            row = serial % self.rows
            for slot in dict.fromkeys(self.items[row, : self.lengths[row]].tolist()):
                self._postings.setdefault(slot, array("q")).append(serial)

    def _clear(self, serial: int) -> None:
        row = serial % self.rows
        for slot in set(self.items[row, : self.lengths[row]].tolist()):
            self._unpost(slot, serial)
        self.items[row] = EMPTY
        self.lengths[row] = 0

    def _unpost(self, slot: int, serial: int) -> None:
        posting = self._postings[slot]
        # The oldest session is the first of its items' postings.
        posting.remove(serial)
        if not posting:
            del self._postings[slot]

    def _grow(self) -> None:
        more = min(self.rows, max(1024, 2 * len(self.items))) - len(self.items)
        self.items = np.concatenate([self.items, np.full((more, LENGTH), EMPTY, np.int32)])
        self.lengths = np.concatenate([self.lengths, np.zeros(more, np.int32)])
        self.at = np.concatenate([self.at, np.zeros(more, np.int64)])
