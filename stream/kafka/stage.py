"""A stage as a Faust app: runs in, outputs at once, and a barrier about once a second that makes them final.

    run -> process -> outputs sent        (never waits for a flush)
    barrier: outputs acknowledged -> changed state sent and acknowledged -> runs finished -> Faust commits
                                     (and what may only be sent then is sent, as outputs of the next epoch)

A state may let records of one topic wait for those of another; a run is finished when none of it waits any longer.
State is never durable before the outputs of what it holds: after a crash the input is read again from the last commit,
and what the state already holds is skipped, so an output that was lost then would be lost for good.
A partition's state lives from assignment, when it is read back from the store's topic, to revocation, when it is
flushed and dropped. A worker of which the group has not heard for a session (it was stopped, or cut off) writes no
state: its partitions may be another's by now, whose newer state would be overwritten.
"""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import faust
from faust.types import TP

from schemas.errors import FootfallError
from schemas.topics import Topic
from stream import metrics
from stream.kafka.app import faust_app, input_topic
from stream.kafka.begin import begin
from stream.kafka.epochs import Writer
from stream.kafka.owned import Owned
from stream.kafka.producer import Headers
from stream.kafka.reading import Reading
from stream.kafka.state import Ends, PartitionState
from stream.kafka.transport import Read
from stream.kafka.watch import Watch
from stream.settings import Settings

log = logging.getLogger("footfall.stage")
_TICK_S = 1.0
# Records that wait for another topic are looked at this often.
_WAITING_TICK_S = 0.1
# How far behind the wall clock an idle partition's clock stays: what is still on its way from producer to worker.
_IDLE_GRACE_MS = 5_000
# So many changed profiles are written also while a worker catches up: about 100 MB, which are in memory at once.
_UNWRITTEN = 100_000
# An orderly stop waits this long for Kafka; the local stack kills after 10 s.
_LAST_BARRIER_S = 5.0


class BarrierBroken(FootfallError):
    """An earlier barrier failed half-way: what it held is not durable, so nothing after it may be committed."""


class Unheard(FootfallError):
    """Somebody else may be saying what this worker would say: it starts again from what was said."""


class Stage:
    """One stage: its inputs, its store (if it has one), and how to make a partition's state.

    `complete` says that whatever is read changes the store, so that an empty one with something read has lost it;
    `fenced` that what it sends depends on more than its input, so that a worker unheard of for a session sends nothing.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        inputs: tuple[Topic, ...],
        store: Topic | None,
        make: Callable[[int], PartitionState],
        *,
        run_records: int = 2_000,
        start: Callable[["Stage"], Awaitable[None]] | None = None,
        complete: bool = False,
        fenced: bool = False,
    ) -> None:
        self.settings = settings
        self.name = name
        self.owned: dict[int, Owned] = {}
        self.assigned = False
        self.writer = Writer(settings.kafka_brokers, settings.topic_prefix, f"footfall-{name}", settings.delivery_s)
        self._store = store
        self._make = make
        self._start = start
        self._inputs = inputs
        self._complete = complete
        self._fenced = fenced
        self._broken = False
        self._outputs: Counter[str] = Counter()
        self._barrier_lock = asyncio.Lock()
        self.app = self._faust_app(inputs, run_records)
        self._reading = Reading(self.app)

    def wrap(self, around: Callable[[PartitionState], PartitionState]) -> None:
        """Put something around the state of every partition assigned from now on: to measure it."""
        make = self._make
        self._make = lambda number: around(make(number))

    def _faust_app(self, inputs: tuple[Topic, ...], run_records: int) -> faust.App:
        app = faust_app(self.settings, self.name, group_id(self.settings, self.name), run_records)
        topic = input_topic(app, self.settings, inputs)
        app.agent(topic, name=self.name)(self._consume)
        app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        app.on_before_shutdown.connect(self._on_shutdown, weak=False)
        tasks = (self.writer.serve, self._barriers, self._ticks, self._wait_no_longer, self._watch, self._run_start)
        for task in tasks:
            app.task(self._guarded(task))
        return app

    def _guarded(self, task: Callable[[], Awaitable[None]]) -> Callable[[], Coroutine[Any, Any, None]]:
        """A background task whose failure ends the worker: the supervisor starts it afresh from the last commit."""

        async def run() -> None:
            try:
                await task()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.exception("%s: %s", self.name, error)
                await self.app.crash(error)

        return run

    async def _run_start(self) -> None:
        if self._start is not None:
            await self._start(self)

    async def _consume(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            owned = self.owned.get(message.partition)
            if owned is None:
                continue
            await owned.ready.wait()
            if self.owned.get(owned.number) is not owned:
                # Revoked while it was being restored: whoever has it now reads this run as well.
                continue
            began = time.perf_counter()
            try:
                await owned.state.process(message.value, partial(self.send, owned))
                if self.owned.get(owned.number) is owned:
                    owned.runs.append(Read(message.tp, message.offset))
                    self._reading.received(message.tp, message.offset, len(message.value.records))
                    await self._release(owned)
            except Exception as error:
                self._break()
                log.exception("%s: %s", self.name, error)
                await self.app.crash(error)
                raise
            metrics.RECORDS.labels(self.name, message.topic).inc(len(message.value.records))
            metrics.RUN_SECONDS.labels(self.name).observe(time.perf_counter() - began)
            metrics.RUN_RECORDS.labels(self.name).observe(len(message.value.records))
            await self.writer.room()
            # Several runs may be queued: let the barrier and the heartbeat in between.
            await asyncio.sleep(0)

    async def _release(self, owned: Owned) -> None:
        """Process what waits no longer, and read no more of a topic of which too much waits."""
        more = True
        while more and self.owned.get(owned.number) is owned:
            more = owned.release(partial(self.send, owned))
            owned.hold(self.app.consumer.held, self.settings.waiting_records // len(self.owned))
            if more:
                await self.writer.room()
                await asyncio.sleep(0)

    async def _wait_no_longer(self) -> None:
        """Time goes by, and a topic may be found to be read to its end: let go of what waited for it."""
        while True:
            await asyncio.sleep(_WAITING_TICK_S)
            waiting = [owned for owned in self.owned.values() if owned.ready.is_set() and owned.waiting()]
            if waiting:
                await self._reading.note_positions()
            for owned in waiting:
                try:
                    await self._release(owned)
                except Exception:
                    self._break()
                    raise

    def ends(self, number: int) -> Ends:
        """A function that tells of every input, for partition `number`, when it was last seen read to its end."""
        topics = [self.settings.topic(topic.name) for topic in self._inputs]

        def ends() -> list[float | None]:
            owned = self.owned.get(number)
            inputs = [TP(topic, number) for topic in topics]
            # A topic that has no such partition never has anything to wait for.
            return [self._reading.end(tp) if owned and tp in owned.inputs else math.inf for tp in inputs]

        return ends

    def send(self, owned: Owned, topic: str, key: bytes | None, value: bytes | None, *more: Any, **where: Any) -> None:
        """Send an output of a partition (see `Out`), unless its last barrier is past: then its next owner will say it.

        Raises `Unheard`.
        """
        if owned.closed or self.owned.get(owned.number) is not owned:
            return
        if self._fenced and not self._heard():
            raise Unheard("the group has not heard of this worker for a session: others may have its partitions")
        self._send(owned, topic, key, value, *more, **where)

    def _send(
        self,
        owned: Owned,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.writer.send(topic, key, value, owned.number if partition is None else partition, headers)
        self._outputs[topic] += 1

    async def _barriers(self) -> None:
        while True:
            for _ in range(self.settings.flush_behind):
                await asyncio.sleep(self.settings.flush_interval_s)
                unwritten = sum(owned.unwritten() for owned in self.owned.values())
                if unwritten > _UNWRITTEN or not self._reading.behind():
                    break
            await self.barrier()

    async def barrier(self) -> None:
        """Make everything processed so far final: outputs acknowledged, then state, then the runs finished.

        Raises `NotDelivered` where Kafka does not take a record, and `BarrierBroken` ever after.
        """
        async with self._barrier_lock:
            if self._broken:
                raise BarrierBroken("an earlier barrier failed: the worker starts again from its last commit")
            began = time.perf_counter()
            try:
                await self._make_final()
            except BaseException:
                self._break()
                raise
            metrics.FLUSH_SECONDS.labels(self.name).observe(time.perf_counter() - began)

    def _break(self) -> None:
        """Nothing more is final, nor sent: whoever has the partitions next reads back what was said until now."""
        self._broken = True
        for owned in self.owned.values():
            owned.closed = True
        self.writer.drop()

    async def _make_final(self) -> None:
        self._measure_outputs()
        self._reading.barrier()
        held = []
        for owned in self.owned.values():
            if owned.ready.is_set() and not owned.closed:
                # In one step with closing the epoch: the changes hold exactly what its outputs come from.
                for key, value in owned.state.changes():
                    # What was held back before is written again in its new place: the order is the state's.
                    owned.changes.pop(key, None)
                    owned.changes[key] = value
                held.append((owned, owned.processed()))
            # A run that is only half processed goes on meanwhile: whoever has the partition next says the rest.
            owned.closed = owned.closed or owned.leaving
        await self.writer.next_epoch().acknowledged()
        held = [(owned, runs) for owned, runs in held if self._mine(owned)]
        state = self.writer.epoch()
        for owned, _ in held:
            if self._store is not None:
                for key, value in owned.changes.items():
                    self.writer.send(self._store.name, key, value, owned.number, epoch=state)
            owned.changes = {}
        await state.acknowledged()
        for owned, runs in held:
            if self._mine(owned):
                for run in runs:
                    self.app.consumer.finish(run)
                finished = set(runs)
                owned.runs = [run for run in owned.runs if run not in finished]
                owned.state.durable(partial(self._send, owned))

    def _measure_outputs(self) -> None:
        """Tell the metrics of what was sent, once a barrier."""
        for topic, count in self._outputs.items():
            metrics.OUTPUTS.labels(self.name, topic).inc(count)
        self._outputs.clear()

    def _mine(self, owned: Owned) -> bool:
        return self._heard() and self.owned.get(owned.number) is owned

    def _heard(self) -> bool:
        """Whether the group has heard of this worker within a session, so that nobody else has its partitions."""
        return bool(time.monotonic() - self.app.consumer.heard < self.settings.session_timeout_s)

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            for owned in list(self.owned.values()):
                if owned.ready.is_set() and self._drained(owned):
                    now = int(time.time() * 1000) - _IDLE_GRACE_MS
                    owned.state.tick(now, partial(self.send, owned))
            self._measure_lag()
            await self._reading.note_positions()

    def _drained(self, owned: Owned) -> bool:
        return not owned.waiting() and all(self._reading.lag(tp) == 0 for tp in owned.inputs)

    async def _watch(self) -> None:
        settings = self.settings
        watch = Watch(self.name, settings.kafka_brokers, settings.stall_s, self._readable, self._reading.hungry)
        await watch.run(self.app.consumer)

    def _readable(self, tp: TP) -> bool:
        owned = self.owned.get(tp.partition)
        return owned is not None and owned.ready.is_set() and tp not in self.app.consumer.held

    def _measure_lag(self) -> None:
        for number, owned in self.owned.items():
            waiting = owned.waiting()
            for tp in owned.inputs:
                lag = self._reading.lag(tp)
                if lag is not None:
                    lag += waiting[tp.topic].records if tp.topic in waiting else 0
                    metrics.LAG.labels(self.name, tp.topic, number).set(lag)

    async def _on_assigned(self, _app: Any, assigned: set[TP], **_: Any) -> None:
        for number in sorted({tp.partition for tp in assigned}):
            if number not in self.owned:
                owned = self.owned[number] = Owned(number, self._make(number))
                owned.inputs = {tp for tp in assigned if tp.partition == number}
                owned.task = asyncio.create_task(self._guarded(partial(self._restore, owned))())
        self.assigned = True
        self._report_ready()

    async def _restore(self, owned: Owned) -> None:
        began = time.perf_counter()
        if self._store is not None:
            settings = self.settings
            whole = [settings.topic(topic.name) for topic in self._inputs] if self._complete else []
            group, store = group_id(settings, self.name), settings.topic(self._store.name)
            count = await asyncio.to_thread(
                begin, owned.state, owned.number, settings.kafka_brokers, self.name, group, store, whole
            )
            metrics.RESTORED.labels(self.name).inc(count)
            log.info("%s: partition %d restored, %d records", self.name, owned.number, count)
            for key, value in owned.state.changes():
                # What a store lacks from the beginning is there before anything else is written to it.
                self.writer.send(self._store.name, key, value, owned.number)
        metrics.RESTORE_SECONDS.labels(self.name).observe(time.perf_counter() - began)
        owned.ready.set()
        self._report_ready()

    async def _on_revoked(self, _app: Any, revoked: set[TP], **_: Any) -> None:
        try:
            for number in {tp.partition for tp in revoked} & self.owned.keys():
                self.owned[number].leaving = True
            # Unheard of for a session, they were lost before they were revoked: what is not final is the new owner's.
            if self._heard():
                await self.commit_now()
        finally:
            for number in {tp.partition for tp in revoked}:
                owned = self.owned.pop(number, None)
                if owned is not None:
                    owned.ready.set()
                    if owned.task is not None:
                        owned.task.cancel()
                metrics.forget(number)
            self._reading.forget(revoked)
            self._report_ready()

    async def commit_now(self) -> None:
        """Make everything processed so far final, and commit it."""
        await self.barrier()
        # A commit that is under way began before the barrier: this one must not be taken for it.
        await self.app.consumer.maybe_wait_for_commit_to_finish()
        await self.app.consumer.commit()

    async def _on_shutdown(self, _app: Any, **_: Any) -> None:
        """Stopped in order: leave nothing to be read again. After a crash the last commit stands."""
        if self._broken or self.app.crash_reason is not None or not self.owned:
            return
        for owned in self.owned.values():
            owned.leaving = True
        try:
            await asyncio.wait_for(self.commit_now(), _LAST_BARRIER_S)
        except Exception as error:
            log.warning("%s: the last barrier was not made, its records will be read again: %s", self.name, error)

    def _report_ready(self) -> None:
        metrics.READY.set(self.assigned and all(owned.ready.is_set() for owned in self.owned.values()))


def group_id(settings: Settings, stage: str) -> str:
    """The consumer group of a stage."""
    return f"{settings.topic_prefix}footfall-{stage}"
