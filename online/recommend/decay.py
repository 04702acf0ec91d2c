"""Counts that fade with event time, in forward-decayed form. Source: Cormode et al. 2009, Forward Decay.

A count at time t is kept as 2^((t - origin) / half-life), so that all compare as they are and nothing is touched as
time passes; when the numbers grow large the owner multiplies all by `rescale()`'s factor.
"""

from typing import Final

# Sums of many counts must stay within single precision (2^127).
LARGEST: Final = 60.0
# What is asked may lie years behind what was counted last: this is still a double.
LONGEST: Final = 1_000.0


class Decay:
    """The clock of one half-life (ms). A time before the origin weighs less than one, whatever came first."""

    def __init__(self, half_ms: float, origin: int | None = None) -> None:
        self.half_ms = half_ms
        self.origin = origin

    def weight(self, at: int) -> float:
        """What a count of one at `at` (epoch ms) is kept as; call `rescale` first."""
        origin = self.origin
        if origin is None:
            return 1.0
        return float(2.0 ** min(LONGEST, max(-LARGEST, (at - origin) / self.half_ms)))

    def rescale(self, at: int) -> float:
        """The factor by which all counts must be multiplied before one at `at` is added; mostly 1."""
        if self.origin is None:
            self.origin = at
            return 1.0
        steps = (at - self.origin) / self.half_ms
        if steps <= LARGEST:
            return 1.0
        self.origin = at
        return float(2.0 ** max(-1000.0, -steps))
