"""The profile stage's side of `merges`: links, carries and late anonymous events, in and out of one partition."""

from collections.abc import Callable
from typing import NamedTuple

from faust.types import TP
from msgspec import Struct

from schemas.decode import decode
from schemas.errors import Rejected
from schemas.event import Event
from schemas.merges import Carry, Forward, Link, decode_merge
from schemas.outputs import encode
from schemas.topics import MERGES
from stream import metrics
from stream.features.engine import Engine
from stream.features.engine import Record as Output
from stream.features.identity import SOURCE, Done, Identities, Outcome
from stream.kafka.partitioner import home
from stream.kafka.record import Record
from stream.kafka.state import Out
from stream.stages.erasure import Erasing
from stream.stages.letters import refuse

# Applies an event: it, the number of its input topic, its offset there, when it arrived, and where outputs go.
Apply = Callable[[Event, int, int, int, Out], None]


class Origin(NamedTuple):
    """The record that a forwarded event once was, should it have to go to dead letters."""

    offset: int
    timestamp: int
    value: bytes
    key: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Stitching:
    """Carries out over Kafka what `stream.features.identity` decides."""

    def __init__(self, engine: Engine, partitions: int, apply: Apply) -> None:
        self._currency = engine.config.currency
        self._partitions = partitions
        self._apply = apply
        self._identities = Identities(engine)
        self._erasing = Erasing(engine, self._identities, partitions)
        self.restore = self._identities.restore
        self.flushing = self._identities.flushing

    def link(self, event: Event, out: Out) -> None:
        """An event that carried both ids was applied: tell the device's partition, if that is news."""
        link = self._identities.link(event)
        if link is not None:
            self._send(link.device, link, out)

    def forward(self, tp: TP, record: Record, event: Event, source: int) -> bool:
        """Whether an anonymous event is a user's who signed in after it; it is then kept, to be sent to her."""
        user = self._identities.user_of(event, source, record.offset)
        if user is None:
            return False
        forward = Forward(
            user=user,
            topic=tp.topic,
            partition=tp.partition,
            offset=record.offset,
            arrived=record.timestamp,
            event=record.value or b"",
        )
        self._identities.hold(event, source, record.offset, forward)
        metrics.FORWARDED.inc()
        return True

    def read(self, record: Record, out: Out) -> list[Output]:
        """One record of `merges`; gives what other stages are told. Raises `Rejected`."""
        said = decode_merge(record.value)
        if isinstance(said, Forward):
            self._take_in(said, record.offset, out)
            return []
        if isinstance(said, Carry):
            done = self._identities.take(said, record.offset)
            metrics.CARRIES.labels(done.outcome.value).inc()
        elif not isinstance(said, Link):
            self._erasing.carry_out(said, record.offset, out)
            return []
        else:
            done = self._identities.sign_in(said, record.offset)
            _count(done)
        return [*done.interactions]

    def durable(self, out: Out) -> None:
        """Send what is kept durably by now."""
        for said in self._identities.durable():
            self._send(said.user, said, out)
            if isinstance(said, Carry):
                metrics.CARRIES.labels("sent").inc()

    def _take_in(self, said: Forward, offset: int, out: Out) -> None:
        try:
            event = decode(said.event, self._currency)
            event.customer = said.user
            self._apply(event, SOURCE, offset, said.arrived, out)
        except Rejected as rejected:
            origin = Origin(said.offset, said.arrived, said.event, said.user.encode())
            refuse(TP(said.topic, said.partition), origin, rejected, out)

    def _send(self, to: str, said: Struct, out: Out) -> None:
        out(MERGES.name, to.encode(), encode(said), home(to, self._partitions))


def _count(done: Done) -> None:
    metrics.LINKS.labels(done.outcome.value).inc()
    if done.outcome is Outcome.REFUSED:
        metrics.LINKS_REFUSED.inc()
    elif done.outcome is Outcome.STRADDLED:
        metrics.LINKS_STRADDLED.inc()
