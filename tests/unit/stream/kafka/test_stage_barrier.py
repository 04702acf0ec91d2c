"""The barrier of a stage, without Kafka: what may become durable when, and what must never be committed."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError
from faust.types import TP

from schemas.topics import CLICKSTREAM, PROFILES
from stream.kafka.epochs import Epoch, NotDelivered
from stream.kafka.owned import Owned
from stream.kafka.stage import BarrierBroken, Stage
from stream.kafka.state import Held
from stream.kafka.transport import Run
from stream.settings import Settings

INPUT = TP(CLICKSTREAM.name, 0)
SESSION_S = 10.0


class Kafka:
    """In place of the writer: what was sent, acknowledged when the test says so."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None]] = []
        self.waiting: list[Epoch] = []
        self._epoch = Epoch()

    def send(self, topic: str, _key: bytes, value: bytes | None, *_: object, epoch: Epoch | None = None) -> None:
        epoch = self._epoch if epoch is None else epoch
        epoch.outstanding += 1
        self.waiting.append(epoch)
        self.sent.append((topic, value))

    def next_epoch(self) -> Epoch:
        closed, self._epoch = self._epoch, Epoch()
        return closed

    def epoch(self) -> Epoch:
        return Epoch()

    async def room(self) -> None:
        """Always."""

    def report(self, error: KafkaError | None = None) -> None:
        """Every record so far is acknowledged, or was not delivered."""
        waiting, self.waiting = self.waiting, []
        for epoch in waiting:
            epoch.delivered(error, cast(Any, None))


class State:
    """Counts records; its output is each record's value, its state the last count."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = False
        self.waits = asyncio.Event()
        self.waits.set()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Nothing is stored in these tests."""

    async def process(self, run: Run, out: Any) -> None:
        for record in run.records:
            await self.waits.wait()
            self.count += 1
            self.changed = True
            out("features", b"k", record.value)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        if self.changed:
            self.changed = False
            yield b"count", str(self.count).encode()

    def tick(self, now: int, out: Any) -> None:
        """Silence changes nothing."""


class Patient(State):
    """Lets every record wait until the test lets go of some."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []
        self.free = 0

    async def process(self, run: Run, out: Any) -> None:
        self.records += run.records
        self.release(out)

    def release(self, out: Any) -> bool:
        for record in self.records[: self.free]:
            self.count += 1
            self.changed = True
            out("features", b"k", record.value)
        del self.records[: self.free]
        self.free = 0
        return False

    def waiting(self) -> dict[str, Held]:
        return {INPUT.topic: Held(len(self.records), self.records[0].offset)} if self.records else {}


class Messages:
    """In place of Faust's stream: an event for every run that the test puts in."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, *offsets: int) -> None:
        run = Run([SimpleNamespace(offset=offset, value=b"%d" % offset) for offset in offsets])
        message = SimpleNamespace(partition=0, offset=run.offset, value=run, tp=INPUT, topic=INPUT.topic)
        self.queue.put_nowait(SimpleNamespace(message=message))

    def noack(self) -> "Messages":
        return self

    async def events(self) -> Any:
        while True:
            yield await self.queue.get()


class Faust:
    """In place of the app and its consumer: what was committed, and what the group heard."""

    def __init__(self) -> None:
        self.consumer = self
        self.heard = time.monotonic()
        self.held: set[TP] = set()
        self.crash_reason: BaseException | None = None
        self.finished: list[int] = []
        self.committed: list[int] = []
        self.under_way: asyncio.Future[None] | None = None

    def finish(self, message: Any) -> None:
        self.finished.append(message.offset)

    async def maybe_wait_for_commit_to_finish(self) -> bool:
        if self.under_way is not None:
            await self.under_way
            self.under_way = None
            return True
        return False

    async def commit(self) -> bool:
        if await self.maybe_wait_for_commit_to_finish():
            return False
        self.committed = list(self.finished)
        return True

    async def crash(self, reason: BaseException) -> None:
        self.crash_reason = reason


class Bench:
    """A stage with one partition, everything around it replaced."""

    def __init__(self, folder: Path) -> None:
        settings = Settings(
            data_dir=folder, session_timeout_s=SESSION_S, kafka_brokers="127.0.0.1:1", waiting_records=10
        )
        self.stage = Stage(settings, "profile", (CLICKSTREAM,), PROFILES, lambda _: State())
        self.kafka, self.app, self.messages, self.state = Kafka(), Faust(), Messages(), State()
        self.stage.writer = cast(Any, self.kafka)
        self.stage.app = cast(Any, self.app)
        self.owned = self.own()

    def own(self, state: State | None = None) -> Owned:
        """Assigned anew, and restored."""
        self.state = state or State()
        owned = self.stage.owned[0] = Owned(0, self.state)
        owned.inputs = {INPUT}
        owned.ready.set()
        return owned

    async def settle(self, kafka: bool = True) -> None:
        """Let everything that can go on go on."""
        for _ in range(20):
            if kafka:
                self.kafka.report()
            await asyncio.sleep(0)

    async def revoke(self) -> None:
        await self.stage._on_revoked(None, {INPUT})


@pytest.fixture
async def bench(tmp_path: Path) -> Any:
    bench = Bench(tmp_path)
    consuming = asyncio.create_task(bench.stage._consume(bench.messages))
    yield bench
    consuming.cancel()


async def test_state_becomes_durable_only_after_the_outputs_it_holds(bench: Bench) -> None:
    bench.messages.put(0, 1)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    assert bench.kafka.sent == [("features", b"0"), ("features", b"1")]
    bench.kafka.report()
    await bench.settle(kafka=False)
    assert bench.kafka.sent[2:] == [("profiles", b"2")]
    assert bench.app.finished == []
    bench.kafka.report()
    await barrier
    assert bench.app.finished == [1]


async def test_what_is_processed_during_a_barrier_waits_for_the_next(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    bench.messages.put(1)
    await bench.settle(kafka=False)
    await bench.settle()
    await barrier
    assert ("profiles", b"1") in bench.kafka.sent
    assert ("profiles", b"2") not in bench.kafka.sent
    assert bench.app.finished == [0]
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert bench.app.finished == [0, 1]


@pytest.mark.parametrize("lost", ["output", "state"])
async def test_after_a_lost_record_nothing_is_ever_finished(lost: str, bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    if lost == "state":
        bench.kafka.report()
        await bench.settle(kafka=False)
    bench.messages.put(1)
    await bench.settle(kafka=False)
    # Revocation waits behind the barrier that fails; the run after it must not be committed over it.
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle(kafka=False)
    bench.kafka.report(KafkaError(KafkaError._MSG_TIMED_OUT))
    await bench.settle()
    with pytest.raises(NotDelivered):
        await barrier
    with pytest.raises(BarrierBroken):
        await revoked
    assert bench.app.finished == []
    assert bench.stage.owned == {}


async def test_a_cancelled_barrier_counts_as_failed(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    barrier.cancel()
    await bench.settle(kafka=False)
    with pytest.raises(BarrierBroken):
        await bench.stage.barrier()


async def test_a_partition_revoked_while_it_is_restored_holds_nobody_up(bench: Bench) -> None:
    restoring = bench.stage.owned[0] = Owned(0, State())
    bench.messages.put(0)
    await bench.settle()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    bench.own()
    bench.messages.put(0)
    await bench.settle()
    assert (cast(State, restoring.state).count, bench.state.count) == (0, 1)


async def test_a_run_that_revocation_overtakes_is_never_finished(bench: Bench) -> None:
    old = bench.state
    old.waits.clear()
    bench.messages.put(0)
    await bench.settle()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    # The same worker gets the partition back before the old run is through.
    bench.own()
    old.waits.set()
    await bench.settle()
    assert bench.stage._reading._received == {}
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert bench.app.finished == []
    bench.messages.put(0)
    await bench.settle()
    assert (old.count, bench.state.count) == (1, 1)


async def test_unheard_of_for_a_session_it_writes_no_state_and_loses_its_partitions_unflushed(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    bench.app.heard -= SESSION_S
    await bench.stage.barrier()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    assert [topic for topic, _ in bench.kafka.sent] == ["features"]
    assert (bench.app.finished, bench.stage.owned) == ([], {})


async def test_heard_of_again_it_writes_what_it_held_back(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    heard = bench.app.heard
    bench.app.heard -= SESSION_S
    await bench.stage.barrier()
    bench.app.heard = heard
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert bench.kafka.sent[1:] == [("profiles", b"1")]
    assert bench.app.finished == [0]


async def test_revocation_commits_also_when_a_commit_is_under_way(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    bench.app.under_way = asyncio.get_running_loop().create_future()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    bench.app.under_way.set_result(None)
    await revoked
    assert bench.app.committed == [0]


async def test_an_orderly_stop_leaves_nothing_to_be_read_again(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    stopping = asyncio.create_task(bench.stage._on_shutdown(None))
    await bench.settle()
    await stopping
    assert bench.app.committed == [0]


async def test_after_a_crash_the_last_commit_stands(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    bench.app.crash_reason = RuntimeError()
    await bench.stage._on_shutdown(None)
    assert (bench.app.finished, bench.app.committed) == ([], [])


async def test_a_run_is_finished_only_when_none_of_it_waits_any_longer(bench: Bench) -> None:
    state = Patient()
    owned = bench.own(state)
    bench.messages.put(0, 1)
    bench.messages.put(2)
    await bench.settle()
    finished = []
    for free in (0, 1, 1, 1):
        state.free = free
        await bench.stage._release(owned)
        barrier = asyncio.create_task(bench.stage.barrier())
        await bench.settle()
        await barrier
        finished.append(list(bench.app.finished))
    assert finished == [[], [], [1], [1, 2]]
    assert owned.runs == []


async def test_a_topic_of_which_too_much_waits_is_held_until_half_of_it_has_left(bench: Bench) -> None:
    state = Patient()
    owned = bench.own(state)
    limit = bench.stage.settings.waiting_records
    bench.messages.put(*range(limit))
    await bench.settle()
    assert bench.app.held == set()
    bench.messages.put(limit)
    await bench.settle()
    assert bench.app.held == {INPUT}
    state.free = limit // 2
    await bench.stage._release(owned)
    assert bench.app.held == {INPUT}
    state.free = 1
    await bench.stage._release(owned)
    assert bench.app.held == set()


async def test_what_waits_when_a_partition_is_revoked_is_left_to_its_next_owner(bench: Bench) -> None:
    state = Patient()
    bench.own(state)
    bench.messages.put(0, 1)
    bench.messages.put(2)
    await bench.settle()
    state.free = 2
    await bench.stage._release(bench.stage.owned[0])
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    assert (bench.app.committed, state.count) == ([1], 2)


async def test_what_was_held_back_is_written_in_the_order_of_the_newest_changes(bench: Bench) -> None:
    changes = iter([[(b"ann", b"1"), (b"", b"1")], [(b"bob", b"2"), (b"", b"2")]])
    bench.state.changes = lambda: iter(next(changes))  # type: ignore[method-assign]
    heard = bench.app.heard
    bench.app.heard -= SESSION_S
    await bench.stage.barrier()
    bench.app.heard = heard
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert [value for _, value in bench.kafka.sent] == [b"1", b"2", b"2"]
