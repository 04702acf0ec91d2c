"""The sources of a partition in one line of time: what may be processed now, and what waits for another source.

In catch-up and in replay one topic is read days ahead of another. Processed as it comes, a cart is abandoned although
the order that emptied it is still unread. So records leave in the order of the clock that they will see: the newest
event time so far of their source, which late events do not turn back.

::

    clickstream   1  2     5  6 | not fetched yet        1 2 3 4 5 leave, and then 6 waits:
    orders              3 4     |                        the next order may be one of time 5
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, Generic, TypeVar

T = TypeVar("T")

# What arrives within this of its own time, in ms, is no history.
LIVE_MS: Final = 60_000
# What arrived so long before the other topics' ends were seen, in s, is surely behind nothing of theirs that is unread.
SETTLED_S: Final = 60.0


class _Chunk(Generic[T]):
    """Items of one source that were received together and are all live, or all history; `times` never fall."""

    __slots__ = ("arrived", "items", "live", "next", "received", "times")

    def __init__(self, live: bool, arrived: int, received: float, times: list[int], items: list[T]) -> None:
        self.live = live
        self.arrived = arrived
        self.received = received
        self.times = times
        self.items = items
        self.next = 0


class _Lane(Generic[T]):
    """What waits of one source, in the order in which it came."""

    __slots__ = ("chunks", "newest")

    def __init__(self) -> None:
        self.chunks: deque[_Chunk[T]] = deque()
        self.newest = 0

    @property
    def count(self) -> int:
        return sum(len(chunk.items) - chunk.next for chunk in self.chunks)


class Aligner(Generic[T]):
    """Merges `sources` sources by time; what is simultaneous leaves in the order of the sources' numbers.

    The head of a source leaves once every other source has a later head waiting, or is read to its end. What is live
    waits for no source that is read to its end. For history the end must have stood for `patience` seconds since the
    head was received, or a minute since it arrived: a replay's producer appends its topics' batches in any order.
    """

    def __init__(self, sources: int, patience: float) -> None:
        self._patience = patience
        self._lanes: list[_Lane[T]] = [_Lane() for _ in range(sources)]

    def __len__(self) -> int:
        """How many items wait."""
        return sum(lane.count for lane in self._lanes)

    def count(self, source: int) -> int:
        """How many items of a source wait."""
        return self._lanes[source].count

    def head(self, source: int) -> T | None:
        """The first item of a source that waits."""
        chunks = self._lanes[source].chunks
        return chunks[0].items[chunks[0].next] if chunks else None

    def add(
        self, source: int, times: list[int], arrivals: list[int], items: list[T], clock: int, received: float
    ) -> None:
        """Items of a source as they follow in its log, `received` now (s); `clock` (ms) is what has left before.

        Each happened at its one of `times` (ms), which is never after it arrived.
        """
        lane = self._lanes[source]
        newest = list(accumulate(times, max, initial=max(lane.newest, clock)))
        lane.newest = newest[-1]
        del newest[0]
        live = [arrived - at < LIVE_MS for at, arrived in zip(newest, arrivals, strict=True)]
        start = 0
        while start < len(live):
            stop = _end_of(live, start)
            found = _Chunk(live[start], arrivals[stop - 1], received, newest[start:stop], items[start:stop])
            lane.chunks.append(found)
            start = stop

    def release(self, ends: Sequence[float | None], most: int) -> Iterator[tuple[int, list[T]]]:
        """What may leave, in order and in batches of one source, its number before them; `most` items in all.

        `ends` says for each source when it was last known to be read to its end (s, the clock of `received`); None
        while there is more to read, or nobody knows.
        """
        while most > 0:
            source = self._first()
            if source is None or not self._may_leave(source, ends):
                return
            lane = self._lanes[source]
            chunk = lane.chunks[0]
            start = chunk.next
            stop = min(self._until(source, chunk), start + most)
            batch = chunk.items[start:stop]
            chunk.next = stop
            if stop == len(chunk.items):
                lane.chunks.popleft()
            most -= stop - start
            yield source, batch

    def _first(self) -> int | None:
        """The source whose head is the earliest."""
        found, earliest = None, 0
        for source, lane in enumerate(self._lanes):
            if lane.chunks:
                chunk = lane.chunks[0]
                at = chunk.times[chunk.next]
                if found is None or at < earliest:
                    found, earliest = source, at
        return found

    def _may_leave(self, source: int, ends: Sequence[float | None]) -> bool:
        chunk = self._lanes[source].chunks[0]
        for other, lane in enumerate(self._lanes):
            if other == source or lane.chunks:
                continue
            end = ends[other]
            if end is None or not (chunk.live or self._stands(end, chunk)):
                return False
        return True

    def _stands(self, end: float, chunk: _Chunk[T]) -> bool:
        # Arrival is by the broker's clock, which need not be ours: a minute is enough for both.
        return end - chunk.received >= self._patience or end - chunk.arrived / 1000 >= SETTLED_S

    def _until(self, source: int, chunk: _Chunk[T]) -> int:
        """Up to where the chunk lies before every other source's head."""
        stop = len(chunk.times)
        for other, lane in enumerate(self._lanes):
            if other != source and lane.chunks:
                head = lane.chunks[0]
                after = bisect_right if source < other else bisect_left
                stop = after(chunk.times, head.times[head.next], chunk.next, stop)
        return stop


def _end_of(flags: list[bool], start: int) -> int:
    """Where the run of equal flags ends that begins at `start`."""
    try:
        return flags.index(not flags[start], start)
    except ValueError:
        return len(flags)
