"""How much each source of recommendations is worth to whom, learned from what was chosen next, and from which lists.

A contextual bandit with two teachers. What is chosen next says of every source what would have come of a list of its
own, long before any list is shown. A list that was shown says how often items of each source are chosen where they are
seen: its items count by how likely their places are looked at (position-based model), chosen within the window or not.
What the first teaches is what the second is expected to say, up to a common factor, until enough lists have said
otherwise.

What nobody shows is seldom chosen, so a small share of lists is led by a source drawn by lot, and every list says how
likely it was (its propensity), for whoever evaluates off-policy. The lot is the hash of the list's id: what is replayed
decides alike.

Sources: Li et al. 2010 (LinUCB); Craswell et al. 2008 and Järvelin & Kekäläinen 2002 for places and their discount.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online.recommend.lists import NOWHERE, Settled
from online.recommend.regressions import KEPT, Regressions
from online.recommend.sources import SOURCES
from online.recommend.visit import Visit
from schemas.hashing import hash64

Floats = NDArray[Any]

# Always; how long her session is; whether something lies in her cart; whether she has bought before, and searched.
CONTEXT: Final = 5
# What a place of each source's is worth before anything was learned, in chances that what is there is chosen next.
PRIOR: Final = (0.045, 0.04, 0.025, 0.02, 0.04)
PRIOR_CASES: Final = 200.0
# So many places looked at must lists have before they say as much as what was chosen without them.
PRIOR_PLACES: Final = 100.0
LEAST: Final = 0.002
_LOTS: Final = 1 << 32


class Lead(NamedTuple):
    """The source that leads a list, and how likely it was to."""

    source: str
    propensity: float


def context(visit: Visit) -> Floats:
    """Who is asked, as numbers [`CONTEXT`]."""
    length = np.log1p(len(visit.session)) / 3.0
    return np.array([1.0, length, float(bool(visit.cart)), float(bool(visit.bought)), float(bool(visit.query))])


def seen(places: int) -> Floats:
    """How likely each of the first `places` is looked at."""
    found: Floats = 1.0 / np.log2(np.arange(2, places + 2))
    return found


class Bandit:
    """`cases` counts the choices learned, `lists` the lists and `successes` those that something was chosen from."""

    def __init__(self) -> None:
        self.cases = self.lists = self.successes = 0
        self.chosen = Regressions(len(SOURCES), CONTEXT)
        self.shown = Regressions(len(SOURCES), CONTEXT)
        # Choices from lists, and those expected by what was chosen without them; both fade.
        self.balance: Floats = np.zeros(2)
        self._hoped = np.outer(PRIOR, np.eye(CONTEXT)[0])

    def worth(self, who: Floats) -> dict[str, float]:
        """Each source's worth to `who` (see `context`), the best one's being 1."""
        expected = self._expected()
        found, hoped = self.balance + PRIOR_PLACES * float(np.mean(PRIOR))
        chances = self.shown.weights(expected * (found / hoped), PRIOR_PLACES) @ who
        chances = np.clip(chances, LEAST * max(float(chances.max()), LEAST), None)
        return dict(zip(SOURCES, (chances / chances.max()).tolist(), strict=True))

    def learn_one(self, who: Floats, offered: Mapping[str, Sequence[str]], chosen: str, weight: float) -> None:
        """`who` then chose an item, which counts so much; `offered` is what each source would have shown."""
        self.cases += 1
        for number, source in enumerate(SOURCES):
            items = offered.get(source)
            if items:
                places = seen(len(items))
                found = float(places[items.index(chosen)]) if chosen in items else 0.0
                self.chosen.learn_one(number, who, weight * float(places.sum()), weight * found)

    def learn_list(self, settled: Settled) -> None:
        """A list was chosen from, or was not."""
        self.lists += 1
        self.successes += settled.place != NOWHERE
        who = np.array(settled.shown.who)
        if who.shape != (CONTEXT,) or not np.isfinite(who).all():
            return
        places = seen(len(settled.shown.sources))
        expected = self._expected() @ who
        self.balance *= KEPT
        self.balance += (settled.place != NOWHERE, 0.0)
        for number, source in enumerate(SOURCES):
            mine = np.array([one == source for one in settled.shown.sources])
            looked_at = float(places @ mine)
            if looked_at:
                self.shown.learn_one(number, who, looked_at, float(settled.place != NOWHERE and mine[settled.place]))
                self.balance[1] += looked_at * max(LEAST, float(expected[number]))

    def dump(self) -> list[Floats]:
        """All numbers."""
        return [self.chosen.moments, self.chosen.gains, self.shown.moments, self.shown.gains, self.balance]

    def load(self, arrays: Sequence[Floats], cases: int, lists: int, successes: int) -> None:
        """Take over what `dump` gave. Raises ValueError for what cannot have been."""
        if len(arrays) != 5 or arrays[4].shape != (2,) or not (cases >= 0 and lists >= successes >= 0):
            raise ValueError("an item index with another bandit")
        self.chosen.load(*arrays[:2])
        self.shown.load(*arrays[2:4])
        self.balance = arrays[4]
        if not (np.isfinite(self.balance).all() and (self.balance >= 0.0).all()):
            raise ValueError("an item index whose bandit has numbers that are not finite")
        self.cases, self.lists, self.successes = cases, lists, successes

    def _expected(self) -> Floats:
        return self.chosen.weights(self._hoped, PRIOR_CASES)


def lead(offered: Collection[str], best: str, explore: float, list_id: str) -> Lead:
    """Which of the sources that offer something leads: `best`, but in a share `explore` of lists one drawn by lot."""
    lot = hash64(f"explore|{list_id}")
    drawn = lot % _LOTS < explore * _LOTS
    source = sorted(offered)[(lot // _LOTS) % len(offered)] if drawn else best
    return Lead(source, explore / len(offered) + (1.0 - explore) * (source == best))
