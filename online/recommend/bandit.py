"""How much each source of recommendations is worth to whom, learned from what was chosen next.

A contextual bandit: for every source a ridge regression of whether its first items had what was then chosen, on who is
asked (Li et al. 2010, LinUCB, without its bonus). What nobody shows is seldom chosen, so a small share of lists is led
by a source drawn by lot, and every list says how likely it was (its propensity), for whoever evaluates off-policy.
The lot is the hash of the list's id: what is replayed decides alike.
"""

from collections.abc import Collection, Mapping, Sequence, Sized
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.hashing import hash64

Floats = NDArray[Any]

SOURCES: Final = ("buy_again", "together", "similar", "trending")
# Always; how long her session is; whether something lies in her cart; whether she has bought before.
CONTEXT: Final = 4
# What each source is worth before anything was learned, in chances to have what is chosen next.
PRIOR: Final = (0.225, 0.2, 0.125, 0.1)
PRIOR_CASES: Final = 50.0
# Of what was learned so much is left after another case.
KEPT: Final = 0.9995
LEAST: Final = 0.01
_LOTS: Final = 1 << 32


class Lead(NamedTuple):
    """The source that leads a list, and how likely it was to."""

    source: str
    propensity: float


def context(session: Sized, cart: Sized, bought: object) -> Floats:
    """Who is asked, as numbers [`CONTEXT`]."""
    return np.array([1.0, np.log1p(len(session)) / 3.0, float(bool(cart)), float(bool(bought))])


class Bandit:
    """`cases` counts what was learned; its numbers are `moments` [sources, n, n] and `gains` [sources, n]."""

    def __init__(self) -> None:
        self.cases = 0
        self._prior = PRIOR_CASES * np.eye(CONTEXT)
        self._hoped = PRIOR_CASES * np.outer(PRIOR, np.eye(CONTEXT)[0])
        self.moments: Floats = np.repeat(self._prior[None], len(SOURCES), 0)
        self.gains: Floats = self._hoped.copy()

    def worth(self, who: Floats) -> dict[str, float]:
        """Each source's worth to `who` (see `context`), the best one's being 1."""
        chances = np.linalg.solve(self.moments, self.gains[:, :, None])[:, :, 0] @ who
        chances = np.clip(chances, LEAST, 1.0)
        return dict(zip(SOURCES, (chances / chances.max()).tolist(), strict=True))

    def learn_one(self, who: Floats, offered: Mapping[str, Sequence[str]], chosen: str, weight: float) -> None:
        """`who` then chose an item, which counts so much; `offered` is what each source would have shown."""
        self.cases += 1
        for number, source in enumerate(SOURCES):
            items = offered.get(source)
            if not items:
                continue
            moment, gain = self.moments[number], self.gains[number]
            # What is forgotten makes room for what was hoped for at first.
            moment += (1.0 - KEPT) * (self._prior - moment) + weight * np.outer(who, who)
            gain += (1.0 - KEPT) * (self._hoped[number] - gain) + weight * (chosen in items) * who

    def load(self, moments: Floats, gains: Floats, cases: int) -> None:
        """Take over what was learned. Raises ValueError for what cannot have been."""
        if moments.shape != self.moments.shape or gains.shape != self.gains.shape or cases < 0:
            raise ValueError("an item index with another bandit")
        if not (np.isfinite(moments).all() and np.isfinite(gains).all()):
            raise ValueError("an item index whose bandit has numbers that are not finite")
        try:
            np.linalg.cholesky(moments)
        except np.linalg.LinAlgError as error:
            raise ValueError("an item index whose bandit has moments of nothing") from error
        self.moments, self.gains, self.cases = moments, gains, cases


def lead(offered: Collection[str], best: str, explore: float, list_id: str) -> Lead:
    """Which of the sources that offer something leads: `best`, but in a share `explore` of lists one drawn by lot."""
    lot = hash64(f"explore|{list_id}")
    drawn = lot % _LOTS < explore * _LOTS
    source = sorted(offered)[(lot // _LOTS) % len(offered)] if drawn else best
    return Lead(source, explore / len(offered) + (1.0 - explore) * (source == best))
