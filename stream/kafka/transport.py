"""A packed transport for Faust: one message carries a run of records, so Faust does its work once per run.

Faust spends its time per *message* in conductor, stream and acknowledgement. Here the consumer hands it, per fetch
and partition, one message whose value is a `Run`; group membership, rebalancing, agents and commits stay Faust's.
A run is finished as a whole, by `Consumer.finish`; runs of a partition are finished in order, so what may be
committed is simply the end of the last finished one. Select it with a broker URL `packed://host:port`.

Only what a transactional producer has committed is read. The consumer knows when the group last heard of it: after
a session's silence its partitions may be somebody else's, whatever it still believes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
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


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's thread around aiokafka, which reads committed records only and notes every heartbeat answered."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust ties this to its own exactly-once mode; an aborted order is none, whoever counts it.
        consumer._isolation_level = "read_committed"
        return consumer

    async def on_start(self) -> None:
        """Connect, and listen in on the heartbeats."""
        await super().on_start()
        coordinator = self._consumer._coordinator
        coordinator._do_heartbeat = self._noted(coordinator._do_heartbeat)

    def _noted(self, beat: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
        async def noted() -> bool:
            # Before it is sent: the group counts the silence from when it arrives, which is later.
            began = time.monotonic()
            answered = await beat()
            if answered:
                self.consumer.heard = began
            return answered

        return noted


class Consumer(driver.Consumer):  # type: ignore[misc]
    """Faust's aiokafka consumer, a run at a time.

    `heard` is when the group last heard of this member (monotonic seconds); `fetched` the last offset handed on; `gaps`
    are offsets that were expected, and what came instead.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.heard = 0.0
        self.fetched: dict[TP, int] = {}
        self.gaps: list[tuple[TP, int, int]] = []
        self._done: dict[TP, int] = {}
        self._trickles = False
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Run]]:
        if self._trickles:
            await asyncio.sleep(LINGER_S)
        fetched = await super()._getmany(active_partitions, timeout)
        self._trickles = 0 < sum(map(len, fetched.values())) < TRICKLE
        runs = {tp: [Run(records)] for tp, records in fetched.items() if records}
        for tp, (run,) in runs.items():
            self._note(tp, run)
        return runs

    def _note(self, tp: TP, run: Run) -> None:
        last = self.fetched.get(tp)
        expected = self.committed(tp) if last is None else last + 1
        found = run.records[0].offset
        if expected and found > expected:
            self.gaps.append((tp, expected, found))
        self.fetched[tp] = run.offset

    def committed(self, tp: TP) -> int:
        """Up to where the group has committed, as far as this member knows; 0 for nothing."""
        return self._committed_offset.get(tp) or 0

    def reads_from(self, tp: TP) -> int | None:
        """The next offset to be handed on; None where reading has not begun. It asks nobody."""
        subscription = self._thread._ensure_consumer()._subscription.subscription
        if subscription is None or subscription.assignment is None or tp not in subscription.assignment.tps:
            return None
        state = subscription.assignment.state_value(tp)
        return int(state.position) if state.has_valid_position else None

    def highwater(self, tp: TP) -> int | None:
        """The end of what may be read; None before the first fetch."""
        end: int | None = self._thread._ensure_consumer().last_stable_offset(tp)
        return end

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

    def ack(self, message: Message) -> bool:  # noqa: ARG002
        """Faust's own acknowledgement, which it also gives to messages that it skips: it commits nothing."""
        return False

    def finish(self, message: Message) -> None:
        """The run is done, and what it changed is durable: everything up to its last offset may be committed."""
        self._done[message.tp] = max(self._done.get(message.tp, 0), message.offset + 1)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in list(self._done) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._done.get(tp)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the app flush and commit first; then forget what is no longer ours."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._done.pop(tp, None)
            self.fetched.pop(tp, None)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Whoever is given partitions has been heard."""
        self.heard = time.monotonic()
        await super().on_partitions_assigned(assigned, generation_id)


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the packed consumer."""

    Consumer = Consumer
