"""Lists of recommendations that wait while alerts are late: made between runs, a moment at a time, oldest first.

To make a list takes longer than to score without BERT, so behind a queue of snapshots all lists together would make the
last alert late. And while more than a `FEW` wait, BERT does: first alerts, then lists, then better scores. What a list
comes from is not done with until it is made: after a crash it is read again.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from schemas.outputs import Score, Snapshot
from stream import metrics
from stream.kafka.state import Held

SLICE_S: Final = 0.02
FEW: Final = 16
# She has gone on by then: an older list is dropped, so that no more than so many seconds of them ever wait.
STALE_S: Final = 10.0


class Waits(NamedTuple):
    """What a list is made of, and the offset of its snapshot."""

    offset: int
    snapshot: Snapshot
    score: Score


class Lists:
    """The lists to be made, in the order of their snapshots."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: deque[Waits] = deque()

    def add(self, offset: int, snapshot: Snapshot, score: Score) -> None:
        """One more."""
        self._waiting.append(Waits(offset, snapshot, score))

    def __len__(self) -> int:
        return len(self._waiting)

    def held(self) -> Held | None:
        """How many wait, and the offset of the first; None where none does."""
        return Held(len(self._waiting), self._waiting[0].offset) if self._waiting else None

    def next(self) -> Iterator[Waits]:
        """Those that may be made within `SLICE_S`, at least one; each is done with when the next is asked for."""
        until = time.perf_counter() + SLICE_S
        while self._waiting:
            waits = self._waiting[0]
            if self._now() - waits.snapshot.arrived / 1000 > STALE_S:
                metrics.LISTS_DROPPED.inc()
            else:
                yield waits
            self._waiting.popleft()
            if time.perf_counter() > until:
                return
