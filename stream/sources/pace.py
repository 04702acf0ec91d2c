"""When an event of the past is due, if history runs at a chosen speed."""

from collections.abc import Callable


class Pace:
    """`speed` is seconds of event time per second, None for as fast as Kafka takes it; `clock` is monotonic seconds.

    >>> now = [0.0]
    >>> pace = Pace(60, lambda: now[0])
    >>> pace.wait(1_000_000), pace.wait(1_120_000)
    (0.0, 2.0)
    """

    def __init__(self, speed: float | None, clock: Callable[[], float]) -> None:
        self._speed = speed
        self._clock = clock
        self._origin: tuple[float, int] | None = None

    def wait(self, at: int) -> float:
        """Seconds until an event of time `at` (epoch ms) is due; the first one is due at once."""
        if self._speed is None:
            return 0.0
        if self._origin is None:
            self._origin = (self._clock(), at)
        began, first = self._origin
        return max(0.0, began + (at - first) / 1000 / self._speed - self._clock())
