"""Sessions of a shop by chance, for benchmarks of recommendations: every item comes, few come often."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.behaviours import Behaviour
from schemas.outputs import Interaction

LENGTH = 5
STEP_MS = 1_000


def sessions(items: int, clicks: int, seed: int = 7) -> NDArray[np.int64]:
    """[clicks / 5, 5] item numbers below `items`: each at least once, the rest as 1 / rank, in mixed order."""
    rng = np.random.default_rng(seed)
    shares = 1.0 / np.arange(1, items + 1)
    often = rng.choice(items, max(0, clicks - items), p=shares / shares.sum())
    all_clicks = rng.permutation(np.concatenate([np.arange(items), often]))
    found: NDArray[Any] = all_clicks[: len(all_clicks) // LENGTH * LENGTH].reshape(-1, LENGTH)
    return found


def views(rows: NDArray[np.int64]) -> Iterator[Interaction]:
    """Each session's clicks, a customer and `STEP_MS` for each session."""
    for number, row in enumerate(rows.tolist()):
        for item in row:
            yield Interaction(
                customer=str(number), session=1, item=str(item), behaviour=Behaviour.VIEW, at=number * STEP_MS
            )
