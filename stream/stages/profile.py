"""profile: clickstream and orders in; profiles, feature snapshots, interactions and dead letters out."""

import time
from collections.abc import Iterator
from typing import Any

from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.errors import Rejected
from schemas.outputs import Snapshot, encode
from schemas.topics import CLICKSTREAM, DAY_MS, DEAD_LETTERS, FEATURES, INTERACTIONS, ORDERS, PROFILES
from stream import metrics
from stream.features.codec import encode_profile
from stream.features.engine import Config, Engine, Record
from stream.features.timers import Delays
from stream.kafka import dead_letters
from stream.kafka.partitioner import home
from stream.kafka.stage import Stage
from stream.kafka.state import Out
from stream.kafka.transport import Run
from stream.settings import Settings

_ACCEPTED = {behaviour: metrics.EVENTS.labels(behaviour.name.lower()) for behaviour in Behaviour}
SOURCES = {CLICKSTREAM.name: 0, ORDERS.name: 1}


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
    return Stage(
        settings,
        "profile",
        (CLICKSTREAM, ORDERS),
        PROFILES,
        lambda number: ProfilePartition(number, settings),
    )


class ProfilePartition:
    """One partition: raw records decoded, applied by the engine, its records sent."""

    def __init__(self, number: int, settings: Settings) -> None:
        self._number = number
        self._partitions = settings.partitions
        self._prefix = len(settings.topic_prefix)
        self._currency = settings.currency
        self._engine = Engine(engine_config(settings))

    def restore(self, key: bytes, value: bytes | None) -> None:
        """One stored profile, or its tombstone."""
        if value is None:
            self._engine.forget(key.decode())
        else:
            self._engine.restore_stored(key.decode(), value)

    async def process(self, run: Run, out: Out) -> None:
        """Every record of the run: into a profile, to dead letters, or on to its customer's own partition."""
        for record in run.records:
            try:
                self._one(record, out)
            except Rejected as rejected:
                key, value, headers = dead_letters.write(record, rejected, int(time.time() * 1000))
                out(DEAD_LETTERS.name, key, value, headers=headers)
                metrics.REJECTED.labels(rejected.reason).inc()
        metrics.PROFILES.labels(self._number).set(len(self._engine))

    def _one(self, record: Any, out: Out) -> None:
        event = decode(record.value, self._currency)
        engine = self._engine
        # Whoever has a profile here lives here; only a new customer's home needs to be looked up.
        if event.customer not in engine.profiles:
            number = home(event.customer, self._partitions)
            if number != self._number:
                # Other keys and other partitioners: the event belongs to another partition's profile.
                topic = record.topic[self._prefix :]
                out(topic, event.customer.encode(), record.value, number, record.headers)
                metrics.REROUTED.inc()
                return
        source = SOURCES[record.topic[self._prefix :]]
        late, repeated = engine.late, engine.repeated
        records = engine.apply(event, source, record.offset, record.timestamp)
        _send(records, out)
        metrics.LATE.inc(engine.late - late)
        metrics.EVENTS.labels(event.behaviour.name.lower()).inc()
        metrics.REPEATED.inc(engine.repeated - repeated)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The profiles changed since the last barrier."""
        for customer, profile in self._engine.flush():
            value = None if profile is None else encode_profile(profile, self._engine.due(customer))
            if value is not None:
                metrics.PROFILE_BYTES.observe(len(value))
            yield customer.encode(), value

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
