"""What is popular now, of all items and of each category or brand."""

from typing import Final

import numpy as np

from online.recommend.hottest import Hottest, Slots, first
from online.recommend.memory import Memory
from online.recommend.shelf import Group, Shelf

HOT: Final = 200
OF_GROUP: Final = 40

Shares = list[tuple[str, float]]


class Popular:
    """The hottest items of `memory`, of all and of each group on the `shelf`."""

    def __init__(self, memory: Memory, shelf: Shelf) -> None:
        self._memory = memory
        self._shelf = shelf
        self._all = Hottest(HOT, self._known)
        self._of: dict[Group, Hottest] = {}

    def touched(self, slot: int, item: str) -> None:
        """The item has become hotter, or has come into a group."""
        value = float(self._memory.hot[slot])
        self._all.touched(slot, value)
        if self._of:
            for group in self._shelf.find(item).groups():
                of = self._of.get(group)
                if of is not None:
                    of.touched(slot, value)

    def left(self, groups: list[Group]) -> None:
        """An item is in these groups no more."""
        for group in groups:
            self._of.pop(group, None)

    def forget(self) -> None:
        """Items' counts have changed otherwise than by growing."""
        self._all.forget()
        self._of.clear()

    def trending(self, n: int) -> Shares:
        """The `n` hottest items, best first, as shares of the first's."""
        hot = self._memory.hot
        return self._shares(self._all.best(hot)[:n] if n <= HOT else first(self._known(), hot, n))

    def of_group(self, group: Group, n: int = OF_GROUP) -> Shares:
        """The hottest items of a group, `OF_GROUP` at most, best first, as shares of the first's."""
        if group not in self._of:
            slots = self._slots(group)
            if not len(slots):
                return []
            self._of[group] = Hottest(OF_GROUP, lambda: self._slots(group))
        return self._shares(self._of[group].best(self._memory.hot)[:n])

    def _known(self) -> Slots:
        return np.flatnonzero(self._memory.hot > 0.0)

    def _slots(self, group: Group) -> Slots:
        find = self._memory.slots.find
        known = [slot for item in self._shelf.members(group) if (slot := find(item)) is not None]
        return np.array(known, np.int64)

    def _shares(self, best: Slots) -> Shares:
        hot = self._memory.hot
        most = float(hot[best[0]]) if len(best) else 1.0
        name = self._memory.slots.name
        return [
            (name(slot), value / most if most > 0.0 else 0.0)
            for slot, value in zip(best.tolist(), hot[best].tolist(), strict=True)
        ]
