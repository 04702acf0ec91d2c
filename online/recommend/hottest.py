"""The hottest of many items, without looking at all of them each time.

Counts only grow while they are kept in forward-decayed form, so an item that once was not among the first n can come
among them only when it is touched. Those that may be are remembered; all others are looked at again only when counts
have changed otherwise (items were forgotten, all were rescaled).
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.int64]
# So many times the wanted are remembered before those that fell behind are let go of.
SLACK: Final = 4


class Hottest:
    """The `n` hottest of the slots that `everything` gives, by `hot` [slots]."""

    def __init__(self, n: int, everything: Callable[[], Slots]) -> None:
        self.n = n
        self._everything = everything
        self._some: dict[int, None] | None = None
        self._floor = 0.0

    def touched(self, slot: int, value: float) -> None:
        """This slot's count has grown to `value`, or it is new."""
        if self._some is not None and value >= self._floor:
            self._some[slot] = None

    def forget(self) -> None:
        """Counts have changed otherwise than by growing."""
        self._some = None

    def best(self, hot: NDArray[np.float64]) -> Slots:
        """The hottest first, of equals the earlier slots: exactly as if all were sorted."""
        if self._some is None or len(self._some) > SLACK * self.n:
            self._some = dict.fromkeys(self._reach(hot).tolist())
        some = np.fromiter(self._some, np.int64, len(self._some))
        return first(some, hot, self.n)

    def _reach(self, hot: NDArray[np.float64]) -> Slots:
        """The first `n`, and from now on what is as hot as the last of them."""
        some = self._everything() if self._some is None else np.fromiter(self._some, np.int64, len(self._some))
        self._floor = 0.0
        if len(some) <= self.n:
            return some
        self._floor = float(-np.partition(-hot[some], self.n - 1)[self.n - 1])
        return first(some[hot[some] >= self._floor], hot, self.n)


def first(some: Slots, hot: NDArray[np.float64], n: int) -> Slots:
    """The hottest `n` of these slots, the hottest first, of equals the earlier slots."""
    return some[np.lexsort((some, -hot[some]))[:n]]
