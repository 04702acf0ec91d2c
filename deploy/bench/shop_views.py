"""The sessions of `shop_sessions` as what the item index learns from."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from schemas.behaviours import Behaviour
from schemas.outputs import Interaction

STEP_MS = 1_000


def views(rows: NDArray[np.int64]) -> Iterator[Interaction]:
    """Each session's clicks, a customer and `STEP_MS` for each session."""
    for number, row in enumerate(rows.tolist()):
        for item in row:
            yield Interaction(
                customer=str(number), session=1, item=str(item), behaviour=Behaviour.VIEW, at=number * STEP_MS,
                category=f"category {item % 300}", brand=f"brand {item % 50}", price=100 + item % 9_900,
            )  # fmt: skip
