"""What the topics hold of one customer: only the partitions where her ids live are read, and no more than a bound."""

from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter

import msgspec
from confluent_kafka import KafkaException

from deploy.report.partitions import Partitions
from schemas.errors import OperatorError, Rejected
from schemas.merges import Anonymise, Erase, Link, decode_merge
from schemas.topics import (
    ALERTS,
    EXAMPLES,
    INTERACTIONS,
    MERGES,
    OUTCOMES,
    PROFILES,
    RECOMMENDATIONS,
    SCORES,
)
from stream.features.codec import decode_profile
from stream.features.marker import MARKER, Marker, decode_marker
from stream.features.profile import Profile
from stream.kafka.admin import existing_topics
from stream.kafka.partitioner import home
from stream.settings import Settings

LOGS = (INTERACTIONS, SCORES, ALERTS, RECOMMENDATIONS, OUTCOMES)
HOPS = 4


@dataclass
class Found:
    """Her profile, the ids that are hers, her records by topic (newest last), and how much of each log was read."""

    asked: str
    profile: Profile
    clock: Marker
    devices: list[str] = field(default_factory=list)
    records: dict[str, list[bytes]] = field(default_factory=dict)
    searched: dict[str, dict[str, int]] = field(default_factory=dict)


def find(settings: Settings, customer: str, limit: int) -> Found:
    """Everything of the customer; of a device that was handed over, of the user who signed in on it.

    `limit` is how many of a log's newest records are looked at. Raises `OperatorError` where nobody is known by this
    id, and where Kafka does not answer.
    """
    try:
        if settings.topic(PROFILES.name) not in existing_topics(settings):
            raise OperatorError("this installation has no topics yet: `footfall up` makes them")
        found = _whose(settings, customer, limit)
        found.devices = _devices(found.profile)
        _read_logs(settings, found, limit)
    except KafkaException as error:
        raise OperatorError(
            f"Kafka at {settings.kafka_brokers} does not answer ({error}): is `footfall up` running?"
        ) from error
    return found


def _whose(settings: Settings, customer: str, limit: int) -> Found:
    name = customer
    for _ in range(HOPS):
        profile, clock = _profile(settings, name)
        logins = profile.ids.logins if profile is not None and profile.ids is not None else []
        if profile is not None and (profile.events or not logins):
            return Found(customer, profile, clock)
        # A device of which nothing is left: what it did is told of whoever signed in on it last.
        user = logins[-1][1] if logins else _signed_in_on(settings, name, limit)
        if user is None:
            break
        name = user
    raise OperatorError(
        f"nobody is known by the id {customer!r}: see that it is written as the storefront sends it (userId, or "
        "anonymousId before a sign-in); one who was erased, or silent for longer than profiles are kept, is not known"
    )


def _profile(settings: Settings, customer: str) -> tuple[Profile | None, Marker]:
    key = customer.encode()
    newest: dict[bytes, bytes | None] = {}
    with Partitions(settings, [(PROFILES.name, home(customer, settings.partitions))]) as partitions:
        for _, message in partitions.messages():
            if (name := message.key()) in (key, MARKER):
                newest[name] = message.value()
    raw, mark = newest.get(key), newest.get(MARKER)
    try:
        profile = None if raw is None else decode_profile(raw)
    except ValueError as error:
        raise OperatorError(f"the profile of {customer!r} cannot be read: {error}") from error
    return profile, Marker(0, live=False) if mark is None else decode_marker(mark)


def _signed_in_on(settings: Settings, device: str, limit: int) -> str | None:
    """Who signed in on a device last, by the log: its record lasts no longer than repeats are known."""
    user, key = None, device.encode()
    with Partitions(settings, [(MERGES.name, home(device, settings.partitions))], limit) as partitions:
        for _, message in partitions.messages():
            if message.key() != key:
                continue
            with suppress(Rejected):
                said = decode_merge(message.value())
                user = said.user if isinstance(said, Link) else None if isinstance(said, Erase | Anonymise) else user
    return user


def _devices(profile: Profile) -> list[str]:
    """The devices whose behaviour became hers."""
    ids = profile.ids
    return [] if ids is None else [name for name, device in ids.devices.items() if device.taken >= 0]


def _read_logs(settings: Settings, found: Found, limit: int) -> None:
    names = [found.profile.customer, *found.devices]
    keys = {name.encode() for name in names}
    homes = sorted({home(name, settings.partitions) for name in names})
    # What came of predictions is keyed by prediction: her id has to be looked for in the records.
    quoted = [msgspec.json.encode(name) for name in names]
    forgotten = -1
    rows: dict[str, list[tuple[int, bytes]]] = {}
    places = [(topic.name, number) for topic in LOGS for number in homes] + [(EXAMPLES.name, 0)]
    with Partitions(settings, places, limit) as partitions:
        for (topic, _), message in partitions.messages():
            value, at = message.value(), message.timestamp()[1]
            if topic == EXAMPLES.name:
                hers = value is not None and any(name in value for name in quoted)
            else:
                hers = message.key() in keys
            if hers and value is not None:
                rows.setdefault(topic, []).append((at, value))
            elif hers:
                # Whoever was erased and came back is known by what came after.
                forgotten = max(forgotten, at)
        for (topic, _), span in partitions.spans.items():
            said = found.searched.setdefault(topic, {"read": 0, "of": 0})
            said["read"] += span.end - span.start
            said["of"] += span.end - span.low
    for topic, hers_all in rows.items():
        hers_all.sort(key=itemgetter(0))
        found.records[topic] = [value for at, value in hers_all if at > forgotten]
