"""For every source a ridge regression of how often its items are chosen, on who is asked; old cases fade.

Source: Li et al. 2010, LinUCB, without its bonus.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]

# Of what was learned so much is left after another case.
KEPT: Final = 0.9995


class Regressions:
    """Its numbers are `moments` [sources, n, n] and `gains` [sources, n]; where nothing is known they are zeros."""

    def __init__(self, sources: int, size: int) -> None:
        self.moments: Floats = np.zeros((sources, size, size))
        self.gains: Floats = np.zeros((sources, size))

    def learn_one(self, source: int, who: Floats, tried: float, chosen: float) -> None:
        """A source was `tried` so often on `who`, and its items chosen so often."""
        self.moments[source] *= KEPT
        self.gains[source] *= KEPT
        self.moments[source] += tried * np.outer(who, who)
        self.gains[source] += chosen * who

    def weights(self, expected: Floats, cases: float) -> Floats:
        """[sources, n]: what was learned, beside `expected` [sources, n] as if so many cases had taught that."""
        ridge = cases * np.eye(self.moments.shape[-1])
        found: Floats = np.linalg.solve(self.moments + ridge, (self.gains + cases * expected)[:, :, None])[:, :, 0]
        return found

    def load(self, moments: Floats, gains: Floats) -> None:
        """Take over what was learned. Raises ValueError for what cannot have been."""
        if moments.shape != self.moments.shape or gains.shape != self.gains.shape:
            raise ValueError("an item index with another bandit")
        if not (np.isfinite(moments).all() and np.isfinite(gains).all()):
            raise ValueError("an item index whose bandit has numbers that are not finite")
        if (np.linalg.eigvalsh(moments) < -1e-6 * max(1.0, float(np.abs(moments).max(initial=0.0)))).any():
            raise ValueError("an item index whose bandit has moments of nothing")
        self.moments, self.gains = moments, gains
