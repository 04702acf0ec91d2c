"""What a customer's next order has: her own items by how often, how lately and how regularly she buys them, and what
is popular of the rest. How much each of that says is learned online from what orders then have.

Sources: Hu et al. 2020 (TIFU-KNN, counts that fade by basket) and Faggioli et al. 2020 (UP-CF, recency) for the counts.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from online.recommend.memory import Memory
from online.recommend.popular import Popular
from online.recommend.ranker import Ranker
from online.recommend.shoppers import Bought, Shopper
from schemas.features import DAY_MS

Floats = NDArray[Any]

COLUMNS: Final = (
    "count", "share", "since", "part", "fit", "once", "orders_since", "recent", "often", "popular", "in_last", "new",
)  # fmt: skip
# The most popular items that she never bought are candidates as well.
NEW: Final = 40
_SAME: Final = 0.5

PRIOR: Final = np.zeros(len(COLUMNS), np.float32)
PRIOR[[COLUMNS.index("count"), COLUMNS.index("often")]] = 1.0


class Baskets:
    """Ranks the items that may be in a customer's next order."""

    def __init__(self, memory: Memory, popular: Popular) -> None:
        self.ranker = Ranker(len(COLUMNS), PRIOR)
        self._memory = memory
        self._popular = popular

    def next(self, shopper: Shopper, at: int) -> dict[str, float]:
        """The candidates with their probabilities to be the one that is taken, as of `at` (epoch ms)."""
        items, told = self._candidates(shopper, at)
        if not items:
            return {}
        scores = self.ranker.score(told)
        shares = np.exp(scores - scores.max())
        return dict(zip(items, (shares / shares.sum()).tolist(), strict=True))

    def compare(self, bought: dict[str, Bought], orders: int, at: int) -> dict[str, float]:
        """These items bought of somebody with so many orders: each one's probability as a share of the likeliest's."""
        popular = self._memory.popularity(list(bought), at)
        scores = self.ranker.score(features(list(bought.values()), popular, orders, at))
        return dict(zip(bought, np.exp(scores - scores.max()).tolist(), strict=True))

    def learn_one(self, shopper: Shopper, item: str, at: int) -> None:
        """Her order at `at` has this item; she is as she was before, or has had other items of the same order."""
        items, told = self._candidates(shopper, at)
        if item in items:
            self.ranker.learn_one(told, items.index(item))

    def _candidates(self, shopper: Shopper, at: int) -> tuple[list[str], Floats]:
        # What this very order had before is not to come any more.
        own = {item: bought for item, bought in shopper.bought.items() if bought.last != at}
        new = [item for item, _ in self._popular.trending(NEW) if item not in shopper.bought]
        items = [*own, *new]
        orders = shopper.orders - (shopper.ordered >= at)
        return items, features(list(own.values()), self._memory.popularity(items, at), orders, at)


def features(bought: Sequence[Bought], popular: Floats, orders: int, at: int) -> Floats:
    """[items, columns] of the items bought and then those not, as of `at` and with so many `orders` placed before.

    `popular` is how popular each of them is, as a logarithm. Times are days, counts logarithms.
    """
    own = len(bought)
    found = np.zeros((len(popular), len(COLUMNS)), np.float32)
    found[:, 9] = popular
    found[own:, 11] = 1.0
    if not own:
        return found
    told = np.array(
        [
            (b.last - b.first, at - b.last, b.count, b.recent_at(at), b.often_at(orders), orders - b.order)
            for b in bought
        ]
    )
    since = np.maximum(told[:, 1], 0) / DAY_MS
    count = told[:, 2]
    several = count > 1
    gap = np.maximum(told[:, 0] / DAY_MS / np.maximum(count - 1, 1), _SAME)
    part = np.where(several, np.log(np.maximum(since / gap, 1e-2)), 0.0)
    table = found[:own]
    table[:, 0] = np.log1p(count)
    table[:, 1] = count / max(1, orders)
    table[:, 2] = np.log1p(since)
    table[:, 3] = part
    table[:, 4] = np.where(several, np.exp(-part * part), 0.0)
    table[:, 5] = ~several
    table[:, 6] = np.log1p(np.maximum(told[:, 5], 0))
    table[:, 7] = np.log1p(told[:, 3])
    table[:, 8] = np.log1p(told[:, 4])
    table[:, 10] = told[:, 5] <= 0
    return found
