"""Features as the table that trees and regressions are given."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from schemas.outputs import Features


def table(rows: Iterable[Features], count: int, names: Sequence[str]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """The `count` rows' features of these names, [rows, names]; NaN where one is missing."""
    found = np.full((count, len(names)), np.nan)
    for place, features in enumerate(rows):
        found[place] = [np.nan if (value := features.get(name)) is None else value for name in names]
    return found
