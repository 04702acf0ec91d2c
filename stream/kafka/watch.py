"""A stage watched from outside its consumer: what the broker says of its inputs, against where reading stands.

Noticed are a consumer that has stalled, records that were deleted before they were read, and a topic made anew.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaException, TopicPartition
from faust.types import TP

from schemas.errors import FootfallError
from stream import metrics
from stream.kafka.store import check_input
from stream.kafka.transport import Consumer
from stream.kafka.watchdog import Place, Watchdog

log = logging.getLogger("footfall.watch")
_LONGEST_PAUSE_S = 5.0
_ANSWER_S = 5.0

Bounds = dict[TP, tuple[int, int]]
"""First offset and end of each partition that the broker gave an answer for."""


class Stalled(FootfallError):
    """The consumer is assigned a partition and no longer reads it: the worker must start again."""


class Watch:
    """Watches one stage's consumer until cancelled. Raises `Stalled` and `MadeAnew`.

    `readable` says whether a partition may be read now, `hungry` whether all that was handed on is processed.
    """

    def __init__(
        self, stage: str, brokers: str, stall_s: float, readable: Callable[[TP], bool], hungry: Callable[[], bool]
    ) -> None:
        self._stage = stage
        self._readable = readable
        self._hungry = hungry
        self._stall_s = stall_s
        self._dog: Watchdog[TP] = Watchdog(stall_s)
        # It joins no group: it only asks where partitions begin and end, and reads what is committed.
        self._client = Client({"bootstrap.servers": brokers, "group.id": "footfall-watch", "log_level": 0})

    async def run(self, consumer: Consumer) -> None:
        """Look every few seconds."""
        while True:
            await asyncio.sleep(min(_LONGEST_PAUSE_S, self._stall_s / 6))
            assigned = consumer.assignment()
            # Before the ends are asked for, which only grow.
            committed = {tp: consumer.committed(tp) for tp in assigned}
            bounds = await asyncio.to_thread(self._bounds, assigned)
            for tp, (_, end) in bounds.items():
                check_input(tp.topic, tp.partition, end, committed[tp])
            self._lost(consumer, bounds)
            places = {tp: Place(consumer.reads_from(tp), bounds.get(tp), self._readable(tp)) for tp in assigned}
            for tp in self._dog.look(time.monotonic(), places, hungry=self._hungry()):
                metrics.STALLS.labels(self._stage).inc()
                raise Stalled(
                    f"{tp.topic}-{tp.partition} is assigned, stands at {places[tp].position} of {places[tp].bounds}, "
                    f"and was not read for {self._stall_s:.0f} s: the worker starts again from its last commit"
                )

    def _bounds(self, assigned: Iterable[TP]) -> Bounds:
        """Beginning and end of each partition; nothing from the first that the broker gives no answer for."""
        found: Bounds = {}
        with contextlib.suppress(KafkaException):
            for tp in assigned:
                found[tp] = self._client.get_watermark_offsets(TopicPartition(tp.topic, tp.partition), _ANSWER_S)
        return found

    def _lost(self, consumer: Consumer, bounds: Bounds) -> None:
        """Count what was deleted unread; a gap behind the beginning is one of compaction or transactions."""
        gaps, consumer.gaps = consumer.gaps, []
        for tp, expected, found in gaps:
            if tp not in bounds:
                consumer.gaps.append((tp, expected, found))
                continue
            lost = min(bounds[tp][0], found) - expected
            if lost > 0:
                metrics.LOST.labels(self._stage, tp.topic).inc(lost)
                log.warning(
                    "%s: %s-%d: %d records from offset %d on were deleted before they were read: retention is shorter "
                    "than this stage was behind",
                    self._stage,
                    tp.topic,
                    tp.partition,
                    lost,
                    expected,
                )
