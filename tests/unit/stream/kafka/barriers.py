"""A stage without Kafka: its consumer, its writer and its states are seen into, and every step is ours."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from confluent_kafka import KafkaError
from faust.types import TP

from schemas.topics import CLICKSTREAM, PROFILES
from stream.kafka.epochs import Epoch
from stream.kafka.owned import Owned
from stream.kafka.stage import Stage
from stream.kafka.state import Held
from stream.kafka.transport import Read, Run
from stream.settings import Settings

INPUT = TP(CLICKSTREAM.name, 0)
SESSION_S = 10.0


class Kafka:
    """In place of the writer: what was sent, acknowledged when the test says so."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None]] = []
        self.waiting: list[Epoch] = []
        self._epoch = Epoch()
        self.dropped = False

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

    def drop(self) -> None:
        self.dropped = True

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
        self.after: bytes | None = None
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

    def durable(self, out: Any) -> None:
        if self.after is not None:
            out("merges", b"k", self.after)
            self.after = None

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


class Heavy(State):
    """Has more to write than a worker should hold back."""

    def unwritten(self) -> int:
        return 100_001


class Messages:
    """In place of Faust's stream: an event for every run that the test puts in."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, *offsets: int) -> None:
        run = Run(INPUT, [cast(Any, SimpleNamespace(offset=offset, value=b"%d" % offset)) for offset in offsets])
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

    def finish(self, run: Read) -> None:
        self.finished.append(run.offset)

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
            data_dir=folder,
            session_timeout_s=SESSION_S,
            kafka_brokers="127.0.0.1:1",
            waiting_records=10,
            flush_interval_s=0.01,
            flush_behind=5,
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
