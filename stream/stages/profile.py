"""profile: clickstream, orders and merges in; profiles, snapshots, interactions, merges and dead letters out."""

import math
import time
from collections.abc import Iterator, Sequence
from typing import Final

from faust.types import TP

from schemas.behaviours import Behaviour
from schemas.errors import Rejected
from schemas.event import Event
from schemas.outputs import Snapshot, encode
from schemas.topics import CLICKSTREAM, DAY_MS, FEATURES, INTERACTIONS, MERGES, ORDERS, PROFILES
from stream import metrics
from stream.features.align import Aligner
from stream.features.codec import encode_profile
from stream.features.engine import Config, Engine
from stream.features.engine import Record as Output
from stream.features.identity import SOURCE
from stream.features.marker import MARKER, Marker, decode_marker, encode_marker
from stream.features.run import apply, read
from stream.features.timers import Delays
from stream.kafka.partitioner import home
from stream.kafka.record import Record
from stream.kafka.stage import Stage
from stream.kafka.state import Ends, Held, Out
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.erasure import Turns
from stream.stages.identity import Stitching
from stream.stages.letters import refuse

INPUTS: Final = (CLICKSTREAM, ORDERS, MERGES)
# The first of them are put in one line of time; merges are read as they come.
ALIGNED: Final = (CLICKSTREAM.name, ORDERS.name)
SOURCES: Final = {CLICKSTREAM.name: 0, ORDERS.name: 1, MERGES.name: SOURCE}
# A replay's producer appends the batches of its topics in any order; they are no further apart than this.
PATIENCE_S: Final = 1.0
# Processed in one go, before others have their turn.
_STEP: Final = 2_000
# Of so many profiles the size of one is measured.
_WEIGHED: Final = 16
_ACCEPTED = [metrics.EVENTS.labels(behaviour.name.lower()) for behaviour in Behaviour]


def engine_config(settings: Settings) -> Config:
    """The engine's configuration out of the installation's settings."""
    return Config(
        currency=settings.currency,
        ahead=settings.ahead_s * 1000,
        lateness=settings.lateness_s * 1000,
        debounce=settings.debounce_s * 1000,
        emit=settings.emit,
        delays=Delays(
            session_gap=settings.session_gap_s * 1000,
            cart_abandoned=settings.cart_abandoned_s * 1000,
            expiry=settings.profile_ttl_days * DAY_MS,
        ),
    )


def stage(settings: Settings) -> Stage:
    """The profile stage."""

    def make(number: int) -> ProfilePartition:
        return ProfilePartition(number, settings, made.ends(number))

    made = Stage(settings, "profile", INPUTS, PROFILES, make, complete=True)
    return made


def _all_read() -> list[float | None]:
    return [math.inf] * len(INPUTS)


class ProfilePartition:
    """One partition: raw records decoded, put in order of time, applied by the engine, its records sent.

    `ends` tells of each source when it was last seen read to its end; by default there is never more to wait for.
    """

    def __init__(self, number: int, settings: Settings, ends: Ends = _all_read) -> None:
        self._number = number
        self._partitions = settings.partitions
        self._prefix = settings.topic_prefix
        self._inputs = {source: TP(self._prefix + name, number) for name, source in SOURCES.items()}
        self._engine = Engine(engine_config(settings))
        self._stitching = Stitching(self._engine, settings.partitions, self._take)
        self._aligner: Aligner[tuple[Record, Event]] = Aligner(len(ALIGNED), PATIENCE_S)
        self._turns = Turns(len(ALIGNED))
        self._ends = ends
        self._marked: Marker | None = None
        self._behaviours = [0] * len(Behaviour)
        self._measured = (0, 0, 0)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """One stored profile, or its tombstone; or the clock."""
        customer = key.decode()
        if key == MARKER:
            if value is not None:
                self._marked = decode_marker(value)
                self._engine.resume(self._marked)
        elif value is None:
            self._engine.forget(customer)
            self._stitching.restore(customer, None)
        else:
            self._engine.restore_stored(customer, value)
            self._stitching.restore(customer, self._engine.profiles.get(customer))

    async def process(self, run: Run, out: Out) -> None:
        """Every record of the run: to dead letters, on to its customer's own partition, or in its turn into a profile.

        Its turn may be later: what waits for records of the other topic leaves by `release`.
        """
        source = SOURCES[run.tp.topic[len(self._prefix) :]]
        if source == SOURCE:
            self._stitch(run, out)
            return
        read = self._read(run, out)
        self._turns.read(source, run.offset, self._head(source))
        self._aligner.add(source, *read, self._engine.clock, time.time())
        self.release(out)

    def _stitch(self, run: Run, out: Out) -> None:
        for record in run.records:
            if not self._turns.add(record):
                self._merge(record, out)
        self._measure()

    def _merge(self, record: Record, out: Out) -> None:
        try:
            _send(self._stitching.read(record, out), out)
        except Rejected as rejected:
            refuse(self._inputs[SOURCE], record, rejected, out)

    def _read(self, run: Run, out: Out) -> tuple[list[int], list[int], list[tuple[Record, Event]]]:
        """When each of them that is an event of this partition happened, when it arrived, and it itself."""

        def refused(record: Record, rejected: Rejected) -> None:
            refuse(run.tp, record, rejected, out)

        def reroute(record: Record, customer: str) -> None:
            self._reroute(run, record, customer, out)

        return read(run.records, self._engine, self._is_home, refused, reroute)

    def _is_home(self, customer: str) -> bool:
        return home(customer, self._partitions) == self._number or customer in self._engine

    def _reroute(self, run: Run, record: Record, customer: str, out: Out) -> None:
        """Other keys and other partitioners: an event that belongs to another partition's profile is sent there."""
        number = home(customer, self._partitions)
        out(run.tp.topic[len(self._prefix) :], customer.encode(), record.value, number, record.headers)
        metrics.REROUTED.inc()

    def release(self, out: Out) -> bool:
        """Into the profiles with what need not wait any longer, a step of it; whether there is more."""
        left = _STEP
        for source, batch in self._aligner.release(self._ends(), left):
            self._apply(batch, source, out)
            left -= len(batch)
        if self._turns:
            self._erase(out)
        self._measure()
        return left <= 0

    def _erase(self, out: Out) -> None:
        """Erasures whose turn has come, and the merges that waited behind them."""
        while (record := self._turns.next(self._head, self._ends())) is not None:
            self._merge(record, out)

    def _head(self, source: int) -> int | None:
        """The offset of the first of a topic's records that waits."""
        head = self._aligner.head(source)
        return None if head is None else head[0].offset

    def _apply(self, batch: Sequence[tuple[Record, Event]], source: int, out: Out) -> None:
        tp = self._inputs[source]

        def stitch(record: Record, event: Event) -> bool:
            if not event.anonymous:
                return self._stitching.forward(tp, record, event, source)
            self._take(event, source, record.offset, record.timestamp, out)
            return True

        def send(records: list[Output]) -> None:
            _send(records, out)

        def refused(record: Record, rejected: Rejected) -> None:
            refuse(tp, record, rejected, out)

        apply(batch, self._engine, source, self._behaviours, stitch, send, refused)

    def _take(self, event: Event, source: int, offset: int, arrived: int, out: Out) -> None:
        engine = self._engine
        repeated = engine.repeated
        records = engine.apply(event, source, offset, arrived)
        if records:
            _send(records, out)
        if event.anonymous and engine.repeated == repeated:
            self._stitching.link(event, out)
        self._behaviours[event.behaviour] += 1

    def _measure(self) -> None:
        """Tell the metrics of what was processed, once a run: a counter costs as much as a profile's update."""
        engine = self._engine
        late, repeated, unverifiable = self._measured
        self._measured = engine.late, engine.repeated, engine.unverifiable
        metrics.LATE.inc(engine.late - late)
        metrics.REPEATED.inc(engine.repeated - repeated)
        metrics.UNVERIFIABLE.inc(engine.unverifiable - unverifiable)
        for behaviour, count in enumerate(self._behaviours):
            if count:
                _ACCEPTED[behaviour].inc(count)
                self._behaviours[behaviour] = 0
        metrics.PROFILES.labels(self._number).set(len(engine))

    def waiting(self) -> dict[str, Held]:
        """What waits for records of the other topic, or behind an erasure for what had arrived before it."""
        heads = [(name, self._aligner.count(n), self._head(n)) for n, name in enumerate(ALIGNED)]
        heads.append((MERGES.name, len(self._turns), self._turns.head()))
        return {self._prefix + name: Held(count, head) for name, count, head in heads if head is not None}

    def applied(self) -> dict[str, int]:
        """The newest offsets that any profile holds."""
        newest = self._engine.applied()
        return {self._prefix + name: newest[source] for name, source in SOURCES.items() if source in newest}

    def unwritten(self) -> int:
        """How many profiles wait to be written."""
        return len(self._engine.dirty)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The profiles changed since the last barrier, and behind them the clock."""
        changed = False
        self._stitching.flushing()
        for number, (customer, profile) in enumerate(self._engine.flush()):
            changed = True
            value = None if profile is None else encode_profile(profile, profile.armed)
            if value is not None and number % _WEIGHED == 0:
                metrics.PROFILE_BYTES.observe(len(value))
            yield customer.encode(), value
        marker = self._engine.marker()
        if changed or self._marked is None or marker.live != self._marked.live:
            self._marked = marker
            yield MARKER, encode_marker(marker)

    def durable(self, out: Out) -> None:
        """What moves to another partition may leave this one."""
        self._stitching.durable(out)

    def tick(self, now: int, out: Out) -> None:
        """Let silence be seen."""
        _send(self._engine.idle(now), out)


def _send(records: list[Output], out: Out) -> None:
    for record in records:
        if isinstance(record, Snapshot):
            out(FEATURES.name, record.customer.encode(), encode(record))
            metrics.SNAPSHOTS.labels(record.trigger).inc()
        else:
            out(INTERACTIONS.name, record.customer.encode(), encode(record))
