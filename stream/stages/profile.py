"""profile: clickstream, orders and merges in; profiles, snapshots, interactions, merges and dead letters out."""

from collections.abc import Iterator
from typing import Any

from schemas.behaviours import Behaviour, Event
from schemas.decode import decode
from schemas.errors import Rejected
from schemas.outputs import Snapshot, encode
from schemas.topics import CLICKSTREAM, DAY_MS, FEATURES, INTERACTIONS, MERGES, ORDERS, PROFILES
from stream import metrics
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import Config, Engine, Record
from stream.features.identity import SOURCE
from stream.features.timers import Delays
from stream.kafka.partitioner import home
from stream.kafka.stage import Stage
from stream.kafka.state import Out
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.identity import Stitching
from stream.stages.letters import refuse

_ACCEPTED = {behaviour: metrics.EVENTS.labels(behaviour.name.lower()) for behaviour in Behaviour}
SOURCES = {CLICKSTREAM.name: 0, ORDERS.name: 1, MERGES.name: SOURCE}


def engine_config(settings: Settings) -> Config:
    """The engine's configuration out of the installation's settings."""
    return Config(
        currency=settings.currency,
        ahead=settings.ahead_s * 1000,
        lateness=settings.lateness_s * 1000,
        debounce=settings.debounce_s * 1000,
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
        (CLICKSTREAM, ORDERS, MERGES),
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
        self._stitching = Stitching(self._engine, settings.partitions, self._apply)

    def restore(self, key: bytes, value: bytes | None) -> None:
        """One stored profile, or its tombstone."""
        profile = None if value is None else decode_profile(value)
        if profile is None:
            self._engine.profiles.pop(key.decode(), None)
        else:
            self._engine.restore(profile)
        self._stitching.restore(key.decode(), profile)

    async def process(self, run: Run, out: Out) -> None:
        """Every record of the run: into a profile, to dead letters, or on to its customer's own partition."""
        for record in run.records:
            try:
                self._one(record, out)
            except Rejected as rejected:
                refuse(record, rejected, out)
        metrics.PROFILES.labels(self._number).set(len(self._engine.profiles))

    def _one(self, record: Any, out: Out) -> None:
        source = SOURCES[record.topic[self._prefix :]]
        if source == SOURCE:
            _send(self._stitching.read(record, out), out)
            return
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
        if event.known or not self._stitching.forward(record, event, source):
            self._apply(event, source, record.offset, record.timestamp, out)

    def _apply(self, event: Event, source: int, offset: int, arrived: int, out: Out) -> None:
        engine = self._engine
        late, repeated = engine.late, engine.repeated
        _send(engine.apply(event, source, offset, arrived), out)
        if event.anonymous and engine.repeated == repeated:
            self._stitching.link(event, out)
        metrics.LATE.inc(engine.late - late)
        metrics.EVENTS.labels(event.behaviour.name.lower()).inc()
        metrics.REPEATED.inc(engine.repeated - repeated)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The profiles changed since the last barrier."""
        self._stitching.flushing()
        for customer, profile in self._engine.flush():
            value = None if profile is None else encode_profile(profile)
            if value is not None:
                metrics.PROFILE_BYTES.observe(len(value))
            yield customer.encode(), value

    def durable(self, out: Out) -> None:
        """What moves to another partition may leave this one."""
        self._stitching.durable(out)

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
