"""What to do when scoring cannot keep up: go without BERT until what comes next is fresh again."""

from typing import Final

from schemas.outputs import Snapshot

REASON: Final = "behind"
# Scored with BERT again once snapshots wait for less than this part of the limit: a little at a time would leave
# everybody waiting for the whole limit.
FRESH: Final = 0.5
# An event that reached Kafka this long after it happened is history that is replayed: nobody waits for its score.
HISTORY_MS: Final = 600_000


class Backlog:
    """Decides for each snapshot, the oldest first, whether it has waited for too long to wait for BERT as well.

    So the queue is bounded in time: what is older than `limit_s` is scored by the online model alone, many times
    faster, until the queue is short. Replayed history may wait for as long as it takes.

    >>> def arrived(at: int) -> Snapshot:
    ...     return Snapshot(id="", customer="", at=at, trigger="", arrived=at, features={}, story=[])
    >>> backlog = Backlog(limit_s=2.0)
    >>> [backlog.late(arrived(at), now=10.0) for at in (9_000, 7_000, 8_500, 9_600, 9_000)]
    [False, True, True, False, False]
    """

    def __init__(self, limit_s: float) -> None:
        self._limit = limit_s
        self._behind = False
        self._decided = 0.0

    def late(self, snapshot: Snapshot, now: float) -> bool:
        """Whether to score this one without BERT; `now` is the wall clock in seconds."""
        if not self.live(snapshot):
            return False
        self._decided = now
        age = now - snapshot.arrived / 1000
        self._behind = age > (self._limit * FRESH if self._behind else self._limit)
        return self._behind

    def pressed(self, now: float) -> bool:
        """Whether the last one had waited too long, a moment ago: more like it may wait."""
        return self._behind and now - self._decided < self._limit

    @staticmethod
    def live(snapshot: Snapshot) -> bool:
        """Whether somebody waits for what is said of it."""
        return snapshot.arrived - snapshot.at <= HISTORY_MS

    def fresh(self, snapshot: Snapshot, now: float) -> bool:
        """Whether it is of a live event, and has waited for so little that there is time for more than its score."""
        if not self.live(snapshot):
            return False
        return now - snapshot.arrived / 1000 < self._limit * FRESH
