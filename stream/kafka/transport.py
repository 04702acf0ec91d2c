"""A packed transport for Faust: one message carries a run of records, so Faust does its work once per run.

Faust spends its time per *message* in conductor, stream and acknowledgement. Here the consumer hands it, per fetch
and partition, one message whose value is a `Run`; group membership, rebalancing, agents and commits stay Faust's.
A run is acknowledged as a whole, by `Event.ack`; runs of a partition are acknowledged in order, so what may be
committed is simply the end of the last acknowledged one. Select it with a broker URL `packed://host:port`.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

# A trickle is collected for this long, so that its cost per run is paid for more than a record or two.
LINGER_S = 0.03
TRICKLE = 50


class Run(NamedTuple):
    """Consecutive records of one partition, as aiokafka fetched them; never empty."""

    records: Sequence[Any]

    @property
    def offset(self) -> int:
        """The offset of the last record: acknowledging the run acknowledges all up to it."""
        return int(self.records[-1].offset)


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's aiokafka consumer, a run at a time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._done: dict[TP, int] = {}
        self._trickles = False
        super().__init__(*args, **kwargs)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Run]]:
        if self._trickles:
            await asyncio.sleep(LINGER_S)
        fetched = await super()._getmany(active_partitions, timeout)
        self._trickles = 0 < sum(map(len, fetched.values())) < TRICKLE
        return {tp: [Run(records)] for tp, records in fetched.items() if records}

    def _to_message(self, tp: TP, record: Run) -> ConsumerMessage:
        last = record.records[-1]
        return ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            [],
            None,
            record,
            None,
            0,
            len(record.records),
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Runs leave no gaps to track: offsets that a run skips were compacted away."""

    def ack(self, message: Message) -> bool:
        """The run is done: everything up to its last offset may be committed."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        self._done[message.tp] = max(self._done.get(message.tp, 0), message.offset + 1)
        return True

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._done) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._done.get(tp)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the app flush and commit first; then forget what is no longer ours."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._done.pop(tp, None)


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the packed consumer."""

    Consumer = Consumer
