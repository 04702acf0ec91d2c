"""When a consumer has stalled: it is assigned a partition of which there is more to read, and no longer reads it.

Its own idea of a partition's end grows stale with it, so the end must come from elsewhere. A partition starves while

- there is more of it (behind the marks of transactions and in compacted gaps there is not, and a broker that does not
  answer says nothing);
- it may be read (restored, and not held back);
- nothing that was handed on is still waiting to be processed: a long run or a slow model is no stall;
- its position does not move.

What starves for as long as the patience lasts has stalled.
"""

from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

P = TypeVar("P", bound=Hashable)


class Place(NamedTuple):
    """Where reading stands in one partition: `position` is the next offset to be handed on, None before the first.

    `bounds` are its first offset and its end as the broker says now, None where it does not answer.
    """

    position: int | None
    bounds: tuple[int, int] | None
    readable: bool

    @property
    def more(self) -> bool:
        """Whether there is something that could be read."""
        if not self.readable or self.bounds is None:
            return False
        low, end = self.bounds
        return max(low, self.position or 0) < end


class Watchdog(Generic[P]):
    """Looks at every partition now and then; time is passed in, in seconds.

    >>> dog: Watchdog[str] = Watchdog(30.0)
    >>> waiting = {"orders-0": Place(position=5, bounds=(0, 9), readable=True)}
    >>> [dog.look(float(now), waiting, hungry=True) for now in range(0, 50, 10)]
    [[], [], [], ['orders-0'], ['orders-0']]
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        # Where each that has more stood when last looked at, and for how many seconds it has starved there.
        self._starving: dict[P, tuple[int | None, float]] = {}
        self._looked: float | None = None

    def look(self, now: float, places: Mapping[P, Place], *, hungry: bool) -> list[P]:
        """The partitions that have stalled. `hungry` says that all that was handed on is processed."""
        # Whoever did not look for long was asleep, and so were all the others: that says nothing of the consumer.
        passed = 0.0 if self._looked is None else min(now - self._looked, self._patience_s / 3)
        self._looked = now
        starving: dict[P, tuple[int | None, float]] = {}
        for name, place in places.items():
            if place.more:
                position, seconds = self._starving.get(name, (-1, 0.0))
                moved = position != place.position
                starving[name] = place.position, 0.0 if moved else seconds + passed * hungry
        self._starving = starving
        return [name for name, (_, seconds) in starving.items() if seconds >= self._patience_s]
