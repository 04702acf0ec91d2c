"""What comes next in a session: candidates of all that is remembered of items, ranked by what was learned."""

from collections.abc import Sequence

import numpy as np

from online.recommend import query
from online.recommend.memory import Memory
from online.recommend.prior import PRIOR
from online.recommend.ranker import Ranker


class Sequel:
    """Ranks what may come next after a session of `memory`'s items."""

    def __init__(self, memory: Memory) -> None:
        self.ranker = Ranker(query.features_count(), PRIOR)
        self._memory = memory

    def learn_choice(self, session: Sequence[str], item: str, at: int) -> None:
        """The ranker learns that `item` came next after the items of `session`, of all that might have."""
        found = self._find(session, at)
        slot = self._memory.slots.find(item)
        if found is None or slot is None:
            return
        place = int(np.searchsorted(found.slots, slot))
        if place < len(found.slots) and found.slots[place] == slot:
            self.ranker.learn_one(found.features, place)

    def after(self, session: Sequence[str], at: int, k: int) -> list[tuple[str, float]]:
        """The items most likely to come next, best first, with their probabilities among the candidates."""
        found = self._find(session, at)
        if found is None:
            return []
        scores = np.exp(found.scores - found.scores.max())
        shares = scores / scores.sum()
        best = np.argsort(-shares, kind="stable")[:k]
        name = self._memory.slots.name
        return [(name(int(found.slots[i])), float(shares[i])) for i in best]

    def reasons(self, items: Sequence[str], session: Sequence[str]) -> list[str]:
        """For each item the one of the session that it goes with best, the newest where it goes with none."""
        find = self._memory.slots.find
        known = {name: slot for name in reversed(session) if (slot := find(name)) is not None}
        wanted = [find(item) for item in items]
        if not known or not items:
            return [session[-1]] * len(items) if session else []
        share = query.beside(self._memory, list(known.values()), [-1 if slot is None else slot for slot in wanted])
        names = list(known)
        best = share.argmax(0)
        return [names[best[i]] if share[best[i], i] > 0.0 else names[0] for i in range(len(items))]

    def _find(self, session: Sequence[str], at: int) -> query.Found | None:
        known = [slot for item in session if (slot := self._memory.slots.find(item)) is not None]
        if not known:
            return None
        found = query.find(self._memory, known, at)
        return found._replace(scores=self.ranker.score(found.features))
