"""The profile stage's side of erasure: records of `merges` wait their turn, and the stages after it are told.

An erasure counts from when it was asked for: all that had arrived by then is applied first. And the runs that hold it
are finished no later than the erasure's own, so that after a crash nothing of hers is read again without it.
"""

import secrets
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from schemas.errors import Rejected
from schemas.merges import Anonymise, Erase, Forget, decode_merge
from schemas.outputs import encode
from schemas.topics import FEATURES, INTERACTIONS, MERGES
from stream import metrics
from stream.features.engine import Engine
from stream.features.erasure import Erasures
from stream.features.identity import Identities
from stream.kafka.partitioner import home
from stream.kafka.record import Record
from stream.kafka.state import Out

Erasure = Erase | Anonymise | Forget


class Turn(NamedTuple):
    """A record of `merges` that waits, and where the event topics must have been applied to (exclusive)."""

    record: Record
    after: list[int]


class Progress:
    """How far one event topic has been read, and where the runs ended that may still be unfinished."""

    def __init__(self) -> None:
        self._read = -1
        self._ends: deque[int] = deque()

    def read(self, last: int, head: int | None) -> None:
        """A run was read that ends at `last`; of the earlier ones, `head` is the first record that still waits."""
        while self._ends and (head is None or self._ends[0] < head):
            self._ends.popleft()
        self._ends.append(last)
        self._read = last + 1

    def passed(self, end: int, head: int | None, at_end: bool) -> bool:
        """Whether the runs that hold records before `end` are applied, and nothing of them waits."""
        if self._read < end and not at_end:
            return False
        if head is None:
            return True
        index = bisect_left(self._ends, end - 1)
        last = self._ends[index] if index < len(self._ends) else end - 1
        return head > last


class Erasing:
    """Carries out over Kafka what `stream.features.erasure` decides."""

    def __init__(self, engine: Engine, identities: Identities, partitions: int) -> None:
        self._partitions = partitions
        self._erasures = Erasures(engine, identities, lambda: secrets.randbits(61) + 1)

    def carry_out(self, said: Erasure, offset: int, out: Out) -> None:
        """One erasure whose turn has come."""
        metrics.ERASURES.labels(type(said).__name__.lower()).inc()
        if isinstance(said, Forget):
            answer = self._erasures.forget(said)
            if answer is not None:
                self._send(answer.customer, answer, out)
            return
        erasures = self._erasures
        forgets = erasures.erase(said) if isinstance(said, Erase) else erasures.anonymise(said, offset)
        for forget in forgets:
            self._send(forget.holder, forget, out)
        if not (isinstance(said, Erase) and said.step == "stub"):
            for topic in (FEATURES, INTERACTIONS):
                out(topic.name, said.customer.encode(), None)

    def _send(self, to: str, said: Erase | Forget, out: Out) -> None:
        out(MERGES.name, to.encode(), encode(said), home(to, self._partitions))


class Turns:
    """The records of `merges`, in order: none before an erasure that waits is carried out."""

    def __init__(self, sources: int) -> None:
        self._progress = [Progress() for _ in range(sources)]
        self._waiting: deque[Turn] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def read(self, source: int, last: int, head: int | None) -> None:
        """A run of an event topic was read."""
        self._progress[source].read(last, head)

    def add(self, record: Record) -> bool:
        """Whether the record must wait, behind others or because of what it says; it is then kept."""
        after = _after(record.value)
        if after is None and not self._waiting:
            return False
        self._waiting.append(Turn(record, after or []))
        return True

    def head(self) -> int | None:
        """The offset of the first record that waits."""
        return self._waiting[0].record.offset if self._waiting else None

    def next(self, head: Callable[[int], int | None], ends: list[float | None]) -> Record | None:
        """The next record whose turn has come; `head` gives a source's first waiting offset, `ends` is as `Ends`."""
        if not self._waiting:
            return None
        for source, end in enumerate(self._waiting[0].after):
            if source < len(self._progress) and not self._progress[source].passed(
                end, head(source), ends[source] is not None
            ):
                return None
        return self._waiting.popleft().record


def _after(raw: bytes | None) -> list[int] | None:
    """Where the event topics must have been applied to before this record; None: it need not wait."""
    try:
        said = decode_merge(raw)
    except Rejected:
        return None
    return said.after if isinstance(said, Erase | Anonymise) else None
