"""ADWIN: a window as long as what it holds is of one kind, as plain numbers that can be kept and taken up again.

The window is a histogram with buckets of 1, 2, 4, ... values, the oldest ones the largest, `MOST` of a size: a few
hundred numbers hold millions of values. Where two parts of the window, the older and the newer, have means further
apart than chance allows, the oldest bucket is dropped. Source: Bifet and Gavalda 2007, section 4 and the bound of
section 3.2 with the variance in it.
"""

import math
from typing import Any, Final

import msgspec
from msgspec import Struct

MOST: Final = 5
# Looked at every so many values, and never for parts of fewer than `LEAST`.
CLOCK: Final = 32
LEAST: Final = 5
GRACE: Final = 10


class _State(Struct, forbid_unknown_fields=True):
    ticks: int
    rows: list[list[tuple[float, float]]]
    sum: float
    spread: float


class Adwin:
    """A change is told wrongly with a probability of about `delta` a look."""

    def __init__(self, delta: float = 0.002) -> None:
        self._delta = delta
        self._ticks = 0
        # Row i has buckets of 2**i values, oldest first: their sum, and their squared distances from their mean.
        self._rows: list[list[tuple[float, float]]] = [[]]
        self._sum = self._spread = 0.0

    def __len__(self) -> int:
        return sum(len(row) << i for i, row in enumerate(self._rows))

    def update(self, value: float) -> bool:
        """Take in one value; whether it showed that the older part of the window was of another kind."""
        self._ticks += 1
        before = len(self)
        self._rows[0].append((value, 0.0))
        self._spread += _between(before, self._sum, 1, value)
        self._sum += value
        self._compress()
        if self._ticks % CLOCK or before < GRACE:
            return False
        changed = False
        while self._differs():
            self._drop()
            changed = True
        return changed

    def _compress(self) -> None:
        """The two oldest of a full row become one of the next."""
        for i, row in enumerate(self._rows):
            if len(row) <= MOST:
                return
            (a, da), (b, db) = row[:2]
            del row[:2]
            if i + 1 == len(self._rows):
                self._rows.append([])
            self._rows[i + 1].append((a + b, da + db + _between(1 << i, a, 1 << i, b)))

    def _differs(self) -> bool:
        """Whether the window can be cut into two parts with means too far apart."""
        total = len(self)
        bound = math.log(2.0 * math.log(total) / self._delta)
        variance = self._spread / total
        older, sum_older = 0, 0.0
        for i in range(len(self._rows) - 1, -1, -1):
            for bucket, _ in self._rows[i]:
                older += 1 << i
                sum_older += bucket
                newer = total - older
                if newer < LEAST:
                    return False
                if older < LEAST:
                    continue
                apart = abs(sum_older / older - (self._sum - sum_older) / newer)
                m = 1.0 / (older - LEAST + 1) + 1.0 / (newer - LEAST + 1)
                if apart > math.sqrt(2.0 * m * variance * bound) + 2.0 / 3.0 * m * bound:
                    return True
        return False

    def _drop(self) -> None:
        """Forget the oldest bucket."""
        i = len(self._rows) - 1
        bucket, spread = self._rows[i].pop(0)
        if not self._rows[i] and i:
            self._rows.pop()
        self._sum -= bucket
        left = len(self)
        self._spread = max(0.0, self._spread - spread - _between(1 << i, bucket, left, self._sum))

    def dump(self) -> dict[str, Any]:
        """The window as plain numbers, for JSON."""
        rows = [[list(bucket) for bucket in row] for row in self._rows]
        return {"ticks": self._ticks, "rows": rows, "sum": self._sum, "spread": self._spread}

    @classmethod
    def load(cls, state: object, delta: float = 0.002) -> "Adwin":
        """The window of a `dump`; raises ValueError for anything else."""
        try:
            given = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an ADWIN's state: {error}") from error
        numbers = [number for row in given.rows for bucket in row for number in bucket]
        if not given.rows or len(given.rows) > 64 or any(len(row) > MOST for row in given.rows):
            raise ValueError("not an ADWIN's state: its rows are too many, or too long")
        if not all(map(math.isfinite, [*numbers, given.sum, given.spread])):
            raise ValueError("not an ADWIN's state: a number is none")
        adwin = cls(delta)
        adwin._ticks, adwin._rows = given.ticks, given.rows
        adwin._sum, adwin._spread = given.sum, given.spread
        return adwin


def _between(n: int, total: float, m: int, other: float) -> float:
    """What the squared distances from the mean of two parts together have more than each by itself."""
    return (total / n - other / m) ** 2 * n * m / (n + m) if n and m else 0.0
