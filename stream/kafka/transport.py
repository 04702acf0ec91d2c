"""A packed transport for Faust: one message carries a run of records, so Faust does its work once per run.

Faust spends its time per *message* in conductor, stream and acknowledgement. Here the consumer hands it one
message whose value is a `Run` of consecutive records; group membership, rebalancing, agents and commits stay Faust's.
A run is finished as a whole, by `Consumer.finish`; runs of a partition are finished in order, so what may be
committed is simply the end of the last finished one. Select it with a broker URL `packed://host:port`.

Only what a transactional producer has committed is read. The consumer knows when the group last heard of it: after
a session's silence its partitions may be somebody else's, whatever it still believes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, dropwhile, islice
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

from stream.kafka.record import Record

# A trickle is collected for this long, so that its cost per run is paid for more than a record or two.
LINGER_S = 0.03
TRICKLE = 50
# The broker answers at least this often, also when it has nothing: a partition's end is no older than that, and one
# that is fetched again does not wait long for an answer that others wait for.
FETCH_WAIT_MS = 250
# So many runs are fetched at once. Faust asks for more only after it has handed on what it has, and a run that is
# processed meanwhile lets it do neither: with one at a time the stage waits for the next after every other one.
AHEAD = 4
# A partition that is held, or full in the stream, may be let go meanwhile: it is looked for this often.
HELD_S = 0.05


class Fetched(fetcher.PartitionRecords):  # type: ignore[misc]
    """aiokafka's reading of a fetched partition, its records as they are read out of a batch.

    Nothing in Python is done for each of them, and no other object made, which is half of what fetching costs.
    """

    next_fetch_offset: int

    def take(self, most: int | None) -> list[Record]:
        """The next records, at most so many; fewer where no more were fetched."""
        taken = list(islice(self._records_iterator, most))
        if taken:
            self.next_fetch_offset = max(self.next_fetch_offset, taken[-1].offset + 1)
        return taken

    def _unpack_records(self) -> Iterator[Record]:
        return chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[Iterable[Record]]:
        """The batches that are for readers; once one is read, what is fetched next begins behind it."""
        first = self.next_fetch_offset
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"a batch of {self._tp} is not what its checksum says")
            if self._is_read(batch):
                # What was asked for may lie in the middle of the first one.
                yield dropwhile(lambda record: record.offset < first, batch)
            self.next_fetch_offset = batch.next_offset

    def _is_read(self, batch: Any) -> bool:
        """Whether a batch holds records for readers: no markers, and nothing of a transaction that was aborted.

        Source: https://cwiki.apache.org/confluence/display/KAFKA/KIP-98 (fetches tell where aborted ones begin, a
        marker in the log where they end).
        """
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return False
        return not batch.is_control_batch


class Fetch(fetcher.FetchResult):  # type: ignore[misc]
    """aiokafka's answer of one partition, out of which many records are taken at once."""

    _partition_records: Fetched | None

    def getall(self, max_records: int | None = None) -> list[Record]:
        """The next records, at most so many."""
        if self._partition_records is None or not self.check_assignment(self._topic_partition):
            return []
        taken = self._partition_records.take(max_records)
        self._update_position()
        if max_records is None or len(taken) < max_records:
            self._partition_records = None
        return taken


# aiokafka has no setting for what it makes of a record.
fetcher.PartitionRecords = Fetched
fetcher.FetchResult = Fetch


class Run(NamedTuple):
    """Consecutive records of one partition; never empty."""

    tp: TP
    records: Sequence[Record]

    @property
    def offset(self) -> int:
        """The offset of the last record: acknowledging the run acknowledges all up to it."""
        return int(self.records[-1].offset)


class Read(NamedTuple):
    """Where a run ends that was read: all that is kept of it until it is finished."""

    tp: TP
    offset: int


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's thread around aiokafka, which reads committed records only and notes every heartbeat answered."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust ties this to its own exactly-once mode; an aborted order is none, whoever counts it.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def on_start(self) -> None:
        """Connect, and listen in on the heartbeats."""
        await super().on_start()
        coordinator = self._consumer._coordinator
        coordinator._do_heartbeat = self._noted(coordinator._do_heartbeat)

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> Mapping[TP, list[Any]]:
        fetched: Mapping[TP, list[Any]] = await super()._fetch_records(*args, **kwargs)
        # In one step with taking them, so that `positions` never sees the one without the other.
        self.consumer.note(fetched)
        return fetched

    async def positions(self) -> dict[TP, tuple[int | None, int]]:
        """For each assigned partition the last offset handed on, and the position at that same moment.

        None of them once the thread ends: its event loop closes before those who ask have ended.
        """
        return {} if self.should_stop else dict(await self.call_thread(self._positions))

    async def _positions(self) -> dict[TP, tuple[int | None, int]]:
        consumer = self.consumer
        states = {tp: consumer.state(tp) for tp in consumer.assignment()}
        return {
            tp: (consumer.fetched.get(tp), state.position)
            for tp, state in states.items()
            if state is not None and state.has_valid_position
        }

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

    `heard` is when the group last heard of this member (monotonic seconds); `fetched` the last offset handed on; of
    the partitions that are `held` nothing more is handed on; `gaps` are offsets that were expected, and what came.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.heard = 0.0
        self.fetched: dict[TP, int] = {}
        self.held: set[TP] = set()
        self.gaps: list[tuple[TP, int, int]] = []
        self._done: dict[TP, int] = {}
        self._trickles = False
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:
        if self._buffered_partitions and not self._get_active_partitions():
            # The stream has room for none: Faust would sleep for a second, whenever it has room again.
            await asyncio.sleep(HELD_S)
            return {}, self._get_active_partitions()
        return await super()._wait_next_records(timeout)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Run]]:
        if self._trickles:
            await asyncio.sleep(LINGER_S)
        if self._buffered_partitions:
            # What is in these is left out until the stream has room for it, which it may have at any moment.
            timeout = min(timeout, HELD_S)
        if self.held and active_partitions is not None:
            active_partitions = active_partitions - self.held
            timeout = min(timeout, HELD_S)
            if not active_partitions:
                # None at all would be taken for all.
                await asyncio.sleep(timeout)
                return {}
        fetched = await super()._getmany(active_partitions, timeout)
        self._trickles = 0 < sum(map(len, fetched.values())) < TRICKLE
        size = self.app.conf.broker_max_poll_records // AHEAD
        return {tp: list(_runs(tp, records, size)) for tp, records in fetched.items() if records}

    def note(self, fetched: Mapping[TP, list[Any]]) -> None:
        """These are handed on."""
        for tp, records in fetched.items():
            if records:
                last = self.fetched.get(tp)
                expected = self.committed(tp) if last is None else last + 1
                if 0 < expected < records[0].offset:
                    self.gaps.append((tp, expected, records[0].offset))
                self.fetched[tp] = records[-1].offset

    def committed(self, tp: TP) -> int:
        """Up to where the group has committed, as far as this member knows; 0 for nothing."""
        return self._committed_offset.get(tp) or 0

    def reads_from(self, tp: TP) -> int | None:
        """The next offset to be handed on; None where reading has not begun. It asks nobody."""
        state = self.state(tp)
        return state.position if state is not None and state.has_valid_position else None

    def highwater(self, tp: TP) -> int | None:
        """The end of what may be read; None before the first fetch, and where the partition is not ours."""
        state = self.state(tp)
        return None if state is None else state.lso

    def polled(self, tp: TP) -> float | None:
        """When the broker last told the partition's end (epoch s); None before the first fetch."""
        state = self.state(tp)
        return None if state is None or state.timestamp is None else state.timestamp / 1000

    async def positions(self) -> dict[TP, tuple[int | None, int]]:
        """For each assigned partition the last offset handed on, and the position at that same moment."""
        return await self._thread.positions()  # type: ignore[no-any-return]

    def state(self, tp: TP) -> Any:
        """What aiokafka knows of a partition; None where it is not assigned."""
        subscription = self._thread._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        return None if assignment is None else assignment.state_value(tp)

    def _to_message(self, tp: TP, record: Run) -> ConsumerMessage:
        last = record.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            0,
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

    def finish(self, run: Read) -> None:
        """The run is done, and what it changed is durable: everything up to its last offset may be committed."""
        self._done[run.tp] = max(self._done.get(run.tp, 0), run.offset + 1)

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
            self.held.discard(tp)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Whoever is given partitions has been heard."""
        self.heard = time.monotonic()
        await super().on_partitions_assigned(assigned, generation_id)


def _runs(tp: TP, records: Sequence[Record], size: int) -> Iterator[Run]:
    for start in range(0, len(records), size):
        yield Run(tp, records[start : start + size])


class Transport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the packed consumer."""

    Consumer = Consumer
