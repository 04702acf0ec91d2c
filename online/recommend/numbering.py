"""What occurs among many, numbered from 0 on without sorting: so that work is as large as what occurs."""

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


class Numbering:
    """A table of one entry for each value there may be, kept between calls and never cleared."""

    def __init__(self) -> None:
        self._place: NDArray[np.int32] = np.zeros(0, np.int32)

    def number(self, values: Whole, limit: int) -> tuple[Whole, Whole]:
        """The different ones of `values` [n], each from -1 to below `limit`, and for each value its place among them.

        Only entries of these very values are read, each after it was written: what was there before matters not.
        """
        if len(self._place) <= limit:
            self._place = np.zeros(limit + 1, np.int32)
        place = self._place
        order = np.arange(len(values), dtype=np.int32)
        # Of equal values the last one's entry stands; -1 has the table's last one.
        place[values] = order
        different = values[place[values] == order]
        place[different] = order[: len(different)]
        return different, place[values].astype(np.int64)
