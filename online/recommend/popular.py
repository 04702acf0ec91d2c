"""What is popular now, of all items and of each category."""

from typing import Final

import numpy as np

from online.recommend.hottest import Hottest, Slots, first
from online.recommend.memory import Memory

HOT: Final = 200
OF_CATEGORY: Final = 40

Shares = list[tuple[str, float]]


class Popular:
    """The hottest items of `memory`, and the items' categories as last said."""

    def __init__(self, memory: Memory) -> None:
        self.categories: dict[str, str] = {}
        self._memory = memory
        self._all = Hottest(HOT, self._known)
        self._members: dict[str, dict[int, None]] = {}
        self._of: dict[str, Hottest] = {}

    def touched(self, slot: int, item: str) -> None:
        """The item has become hotter."""
        value = float(self._memory.hot[slot])
        self._all.touched(slot, value)
        of = self._of.get(self.categories.get(item, ""))
        if of is not None:
            of.touched(slot, value)

    def forget(self) -> None:
        """Items' counts have changed otherwise than by growing."""
        self._all.forget()
        self._of.clear()

    def trending(self, n: int) -> Shares:
        """The `n` hottest items, best first, as shares of the first's."""
        hot = self._memory.hot
        return self._shares(self._all.best(hot)[:n] if n <= HOT else first(self._known(), hot, n))

    def of_category(self, category: str, n: int) -> Shares:
        """The hottest items of a category, best first, as shares of the first's."""
        hot = self._memory.hot
        if category not in self._members:
            return []
        if n > OF_CATEGORY:
            return self._shares(first(self._slots(category), hot, n))
        if category not in self._of:
            self._of[category] = Hottest(OF_CATEGORY, lambda: self._slots(category))
        return self._shares(self._of[category].best(hot)[:n])

    def categorise(self, item: str, slot: int, category: str) -> None:
        """The item is of this category now; it is about to be touched."""
        before = self.categories.get(item)
        if before == category:
            return
        if before is not None:
            self._members[before].pop(slot, None)
            self._of.pop(before, None)
            if not self._members[before]:
                del self._members[before]
        self.categories[item] = category
        self._members.setdefault(category, {})[slot] = None

    def take(self, categories: dict[str, str]) -> None:
        """Let these be the items' categories. Raises ValueError for an item that is not known."""
        self.categories, self._members = {}, {}
        self.forget()
        for item, category in categories.items():
            slot = self._memory.slots.find(item)
            if slot is None:
                raise ValueError("an item index with a category of an item that it has not")
            self.categorise(item, slot, category)

    def _known(self) -> Slots:
        return np.flatnonzero(self._memory.hot > 0.0)

    def _slots(self, category: str) -> Slots:
        members = self._members[category]
        return np.fromiter(members, np.int64, len(members))

    def _shares(self, best: Slots) -> Shares:
        hot = self._memory.hot
        most = float(hot[best[0]]) if len(best) else 1.0
        name = self._memory.slots.name
        return [
            (name(slot), value / most if most > 0.0 else 0.0)
            for slot, value in zip(best.tolist(), hot[best].tolist(), strict=True)
        ]
