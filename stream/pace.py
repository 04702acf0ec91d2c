"""How many to send at once: as many as are answered well within a deadline, learned from how long answers take."""

from typing import Final

TARGET_S: Final = 0.2
# A call for somebody who waits may take this long: a machine that is suddenly crowded answers at half the rate.
LONGEST_S: Final = 2 * TARGET_S
SMALLEST: Final = 4
_SMOOTHING: Final = 0.3


class Pace:
    """A batch size that follows the measured rate, between `SMALLEST` and `largest`.

    On a free machine it is `largest`; on a crowded one it shrinks so that a call still takes about `TARGET_S`, and a
    slow server means waiting snapshots in Kafka rather than calls that miss their deadline.

    >>> pace = Pace(32)
    >>> pace.answered(8, 2.0)
    >>> pace.batch
    4
    """

    def __init__(self, largest: int) -> None:
        self._largest = max(SMALLEST, largest)
        self._rate: float | None = None

    @property
    def batch(self) -> int:
        """The size of the next batch."""
        if self._rate is None:
            return SMALLEST
        return min(self._largest, max(SMALLEST, int(self._rate * TARGET_S)))

    @property
    def rate(self) -> float:
        """Answers a second, as far as is known; 0 where nothing is."""
        return self._rate or 0.0

    def answered(self, count: int, seconds: float) -> None:
        """A batch of `count` took `seconds`."""
        rate = count / max(seconds, 1e-6)
        self._rate = rate if self._rate is None else (1 - _SMOOTHING) * self._rate + _SMOOTHING * rate

    def failed(self) -> None:
        """A batch was not answered: begin again with the smallest."""
        self._rate = None
