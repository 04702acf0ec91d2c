"""A partition that a worker owns: its state, what waits in it, and what waits for a barrier."""

import asyncio
import sys
from typing import Final

from faust.types import TP

from stream.kafka.state import Counting, Held, Out, PartitionState, Waiting
from stream.kafka.transport import Read

_NOTHING: Final = Held(0, sys.maxsize)


class Owned:
    """An assigned partition: its state once restored, and what waits for a barrier: changes of the state, and runs.

    `ready` is set when the state is restored, and also when the partition is revoked before: nobody waits for ever.
    Where it is `leaving`, the next barrier is its last and makes it `closed`: of it nothing more is sent.
    """

    def __init__(self, number: int, state: PartitionState) -> None:
        self.number = number
        self.state = state
        self.ready = asyncio.Event()
        self.changes: dict[bytes, bytes | None] = {}
        self.runs: list[Read] = []
        self.leaving = False
        self.closed = False
        self.inputs: set[TP] = set()
        self.task: asyncio.Task[None] | None = None
        self._waits = state if isinstance(state, Waiting) else None
        self._counts = state if isinstance(state, Counting) else None

    def unwritten(self) -> int:
        """How many records of the store a barrier would write; 0 where nobody knows."""
        return self._counts.unwritten() if self._counts is not None else 0

    def waiting(self) -> dict[str, Held]:
        """What was received and waits for records of another topic, by topic."""
        return self._waits.waiting() if self._waits is not None else {}

    def release(self, out: Out) -> bool:
        """Process what need not wait any longer; whether there is more of it."""
        return self._waits is not None and self._waits.release(out)

    def processed(self) -> list[Read]:
        """The runs of which nothing waits."""
        waiting = self.waiting()
        return [run for run in self.runs if run.offset < waiting.get(run.tp.topic, _NOTHING).first]

    def hold(self, held: set[TP], limit: int) -> None:
        """Add to `held` the inputs of which more than `limit` records wait, take out those of which it is half.

        Only a topic that is ahead of another has anything waiting, so the one that is waited for is always read on.
        """
        waiting = self.waiting()
        for tp in self.inputs:
            count = waiting.get(tp.topic, _NOTHING).records
            if count > limit:
                held.add(tp)
            elif count <= limit // 2:
                held.discard(tp)
