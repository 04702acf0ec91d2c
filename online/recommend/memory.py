"""All that is remembered of items by their slots: sessions, companions, popularity, searches. Bounded; the least
popular go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from online.recommend.covisits import CoVisits
from online.recommend.decay import Decay
from online.recommend.numbering import Numbering
from online.recommend.searches import Searches
from online.recommend.sessions import Sessions
from online.recommend.slots import Slots

DAY: Final = 86_400_000
HOT_HALF_MS: Final = 2.0 * DAY
POPULAR_HALF_MS: Final = 16.0 * DAY
COMPANY_HALF_MS: Final = 49.0 * DAY
# How many items of the session an item is counted with.
REACH: Final = 6
# One in this many items is forgotten when there is no room for a new one.
FORGOTTEN: Final = 16
NEVER: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is kept: items, companions of each, sessions, customers, purchased items of each, and of all; terms
    of queries. Of twice as many items it is kept what was said of them.
    """

    items: int = 100_000
    companions: int = 64
    sessions: int = 200_000
    customers: int = 100_000
    bought: int = 64
    purchases: int = 2_000_000
    terms: int = 20_000


class Memory:
    """Learns touches of items and who met whom in a session; times are epoch ms."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.slots = Slots(bounds.items)
        self.sessions = Sessions(bounds.sessions)
        self.covisits = CoVisits(bounds.items, bounds.companions)
        self.searches = Searches(bounds.terms)
        self.hot: NDArray[np.float64] = np.zeros(0)
        self.popular: NDArray[np.float64] = np.zeros(0)
        self.seen: NDArray[np.int64] = np.zeros(0, np.int64)
        self.now = NEVER
        self._decays = (Decay(HOT_HALF_MS), Decay(POPULAR_HALF_MS), Decay(COMPANY_HALF_MS))
        # For answers: items by their slots, and sessions by their rows.
        self.items, self.rows = Numbering(), Numbering()

    @property
    def size(self) -> int:
        """Arrays by slot are this long."""
        return len(self.hot)

    @property
    def smooth(self) -> float:
        """One companion's count of now, in the form in which counts are kept."""
        return self._decays[2].weight(self.now)

    @property
    def origins(self) -> list[int | None]:
        """Where the half-lives' times are counted from."""
        return [decay.origin for decay in self._decays]

    @origins.setter
    def origins(self, given: list[int | None]) -> None:
        for decay, origin in zip(self._decays, given, strict=True):
            decay.origin = origin

    def reserve(self, used: int) -> None:
        """Make room for this many slots."""
        if used:
            self._reach(used - 1)

    def slot(self, item: str) -> int:
        """The item's slot; a new item may push out the least popular."""
        if item not in self.slots and self.slots.full:
            self.forget_items()
        slot = self.slots.add(item)
        self._reach(slot)
        return slot

    def touch(self, slot: int, weight: float, at: int) -> bool:
        """Somebody did something with an item that means `weight`; whether that changed all items' counts."""
        self.now = max(self.now, at)
        rescaled = False
        hot, popular, _ = self._decays
        for decay, counts in ((hot, self.hot), (popular, self.popular)):
            factor = decay.rescale(at)
            if factor != 1.0:
                counts *= factor
                rescaled = True
            counts[slot] += weight * decay.weight(at)
        self.seen[slot] = max(int(self.seen[slot]), at)
        return rescaled

    def meet(self, slot: int, before: list[int], weight: float, at: int) -> None:
        """The item came in a session after these, newest first."""
        self.covisits.meet(slot, before[:REACH], weight * self._company(at))

    def sought(self, query: str, slot: int, weight: float, at: int) -> None:
        """The item was chosen after this search."""
        self.searches.chosen(query, slot, weight * self._company(at))

    def standing(self, slots: NDArray[np.int64], at: int) -> NDArray[np.float32]:
        """[slots, 4]: how hot, how popular, in how many sessions, and for how long unseen each item is; logarithms."""
        hot, popular, _ = self._decays
        found = np.empty((len(slots), 4), np.float32)
        found[:, 0] = self.hot[slots] / hot.weight(at)
        found[:, 1] = self.popular[slots] / popular.weight(at)
        found[:, 2] = self.sessions.counts(slots.tolist())
        found[:, 3] = np.maximum(at - self.seen[slots], 0) / DAY
        return np.log1p(found, out=found)

    def popularity(self, items: Sequence[str], at: int) -> NDArray[np.float64]:
        """How popular each of these items is, as a logarithm; 0 for one that is not known."""
        slots = np.array([-1 if (slot := self.slots.find(item)) is None else slot for item in items], np.int64)
        if not self.size:
            return np.zeros(len(slots))
        found: NDArray[np.float64] = np.log1p(self.popular[slots] / self._decays[1].weight(at)) * (slots >= 0)
        return found

    def forget_items(self) -> None:
        """Forget the least popular items, of equals the later slots, everywhere."""
        used = np.array([slot for slot, name in enumerate(self.slots.dump()) if name], np.int64)
        order = np.lexsort((-used, self.popular[used]))
        gone = used[order[: max(1, len(used) // FORGOTTEN)]]
        self.slots.remove(gone.tolist())
        self.sessions.remove(gone)
        self.covisits.remove(gone)
        self.searches.remove(gone)
        for counts in (self.hot, self.popular):
            counts[gone] = 0.0
        self.seen[gone] = NEVER

    def _company(self, at: int) -> float:
        """What a count of one at `at` is kept as among companions and after searches."""
        company = self._decays[2]
        factor = company.rescale(at)
        if factor != 1.0:
            self.covisits.scale(factor)
            self.searches.scale(factor)
        return company.weight(at)

    def _reach(self, slot: int) -> None:
        have = self.size
        if slot < have:
            return
        more = min(self.bounds.items, max(1024, 2 * have, slot + 1)) - have
        self.hot = np.concatenate([self.hot, np.zeros(more)])
        self.popular = np.concatenate([self.popular, np.zeros(more)])
        self.seen = np.concatenate([self.seen, np.full(more, NEVER)])
        self.covisits.reach(len(self.hot) - 1)
