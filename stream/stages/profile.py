"""profile: clickstream and orders in; profiles, feature snapshots, interactions and dead letters out."""

import math
import time
from collections.abc import Iterator
from typing import Any, Final

from schemas.behaviours import Behaviour, Event
from schemas.decode import decode
from schemas.errors import Rejected
from schemas.outputs import Snapshot, encode
from schemas.topics import CLICKSTREAM, DAY_MS, DEAD_LETTERS, FEATURES, INTERACTIONS, ORDERS, PROFILES
from stream import metrics
from stream.features.align import Aligner, Entry
from stream.features.codec import encode_profile
from stream.features.engine import Config, Engine, Record
from stream.features.marker import MARKER, Marker, decode_marker, encode_marker
from stream.features.timers import Delays
from stream.kafka import dead_letters
from stream.kafka.partitioner import home
from stream.kafka.stage import Stage
from stream.kafka.state import Ends, Held, Out
from stream.kafka.transport import Run
from stream.settings import Settings

_ACCEPTED = {behaviour: metrics.EVENTS.labels(behaviour.name.lower()) for behaviour in Behaviour}
SOURCES = {CLICKSTREAM.name: 0, ORDERS.name: 1}
# A replay's producer appends the batches of its topics in any order; they are no further apart than this.
PATIENCE_S: Final = 1.0
# Processed in one go, before others have their turn.
_STEP: Final = 2_000


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

    made = Stage(settings, "profile", (CLICKSTREAM, ORDERS), PROFILES, make)
    return made


def _all_read() -> list[float | None]:
    return [math.inf] * len(SOURCES)


class ProfilePartition:
    """One partition: raw records decoded, put in order of time, applied by the engine, its records sent.

    `ends` tells of each source when it was last seen read to its end; by default there is never more to wait for.
    """

    def __init__(self, number: int, settings: Settings, ends: Ends = _all_read) -> None:
        self._number = number
        self._partitions = settings.partitions
        self._prefix = settings.topic_prefix
        self._currency = settings.currency
        self._engine = Engine(engine_config(settings))
        self._aligner: Aligner[tuple[Any, Event]] = Aligner(len(SOURCES), PATIENCE_S)
        self._ends = ends
        self._marked: Marker | None = None

    def restore(self, key: bytes, value: bytes | None) -> None:
        """One stored profile, or its tombstone; or the clock."""
        if key == MARKER and value is not None:
            self._marked = decode_marker(value)
            self._engine.resume(self._marked)
        elif value is None:
            self._engine.forget(key.decode())
        else:
            self._engine.restore_stored(key.decode(), value)

    async def process(self, run: Run, out: Out) -> None:
        """Every record of the run: to dead letters, on to its customer's own partition, or in its turn into a profile.

        Its turn may be later: what waits for records of the other topic leaves by `release`.
        """
        source = SOURCES[run.records[0].topic[len(self._prefix) :]]
        entries = (entry for entry in (self._entry(record, out) for record in run.records) if entry is not None)
        self._aligner.add(source, entries, self._engine.clock, time.time())
        self.release(out)

    def _entry(self, record: Any, out: Out) -> Entry[tuple[Any, Event]] | None:
        engine = self._engine
        try:
            event = decode(record.value, self._currency)
            at = engine.time(event, record.timestamp)
        except Rejected as rejected:
            self._reject(record, rejected, out)
            return None
        # Whoever has a profile here lives here; only a new customer's home needs to be looked up.
        if event.customer not in engine.profiles:
            number = home(event.customer, self._partitions)
            if number != self._number:
                # Other keys and other partitioners: the event belongs to another partition's profile.
                topic = record.topic[len(self._prefix) :]
                out(topic, event.customer.encode(), record.value, number, record.headers)
                metrics.REROUTED.inc()
                return None
        return Entry(at, record.timestamp, (record, event))

    def release(self, out: Out) -> bool:
        """Into the profiles with what need not wait any longer, a step of it; whether there is more."""
        left = _STEP
        for batch in self._aligner.release(self._ends(), left):
            for record, event in batch:
                self._apply(record, event, out)
            left -= len(batch)
        metrics.PROFILES.labels(self._number).set(len(self._engine))
        return left <= 0

    def _apply(self, record: Any, event: Event, out: Out) -> None:
        engine = self._engine
        late, repeated = engine.late, engine.repeated
        source = SOURCES[record.topic[len(self._prefix) :]]
        try:
            records = engine.apply(event, source, record.offset, record.timestamp)
        except Rejected as rejected:
            self._reject(record, rejected, out)
            return
        _send(records, out)
        metrics.LATE.inc(engine.late - late)
        metrics.EVENTS.labels(event.behaviour.name.lower()).inc()
        metrics.REPEATED.inc(engine.repeated - repeated)

    @staticmethod
    def _reject(record: Any, rejected: Rejected, out: Out) -> None:
        key, value, headers = dead_letters.write(record, rejected, int(time.time() * 1000))
        out(DEAD_LETTERS.name, key, value, headers=headers)
        metrics.REJECTED.labels(rejected.reason).inc()

    def waiting(self) -> dict[str, Held]:
        """What waits for records of the other topic."""
        heads = ((name, self._aligner.count(source), self._aligner.head(source)) for name, source in SOURCES.items())
        return {self._prefix + name: Held(count, head[0].offset) for name, count, head in heads if head is not None}

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The profiles changed since the last barrier, and behind them the clock."""
        changed = False
        for customer, profile in self._engine.flush():
            changed = True
            value = None if profile is None else encode_profile(profile, self._engine.due(customer))
            if value is not None:
                metrics.PROFILE_BYTES.observe(len(value))
            yield customer.encode(), value
        marker = self._engine.marker()
        if changed or self._marked is None or marker.live != self._marked.live:
            self._marked = marker
            yield MARKER, encode_marker(marker)

    def tick(self, now: int, out: Out) -> None:
        """Let silence be seen."""
        _send(self._engine.idle(now), out)


def _send(records: list[Record], out: Out) -> None:
    for record in records:
        if isinstance(record, Snapshot):
            out(FEATURES.name, record.customer.encode(), encode(record))
            metrics.SNAPSHOTS.labels(record.trigger).inc()
        else:
            out(INTERACTIONS.name, record.customer.encode(), encode(record))
