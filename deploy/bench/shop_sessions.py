"""Sessions of a shop by chance, for benchmarks of recommendations: every item comes, few come often.

Knows numpy alone: who runs in an environment of its own reads them too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH = 5


def sessions(items: int, clicks: int, seed: int = 7) -> NDArray[np.int64]:
    """[clicks / 5, 5] item numbers below `items`: each at least once, the rest as 1 / rank, in mixed order."""
    rng = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, items + 1)
    often = rng.choice(items, max(0, clicks - items), p=shares / shares.sum())
    all_clicks = rng.permutation(np.concatenate([np.arange(items), often]))
    found: NDArray[Any] = all_clicks[: len(all_clicks) // LENGTH * LENGTH].reshape(-1, LENGTH)
    return found
