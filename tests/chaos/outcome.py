"""What a shop's topics hold in the end, and how two outcomes differ."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Producer, TopicPartition

from deploy.parity.simulated import START
from online.learner import TARGETS
from online.state import NAME
from schemas.decode import decode
from schemas.errors import Rejected
from schemas.outputs import Alert, Example, ModelSnapshot, Snapshot
from schemas.topics import (
    ALERTS,
    CLICKSTREAM,
    DAY_MS,
    EXAMPLES,
    FEATURES,
    INTERACTIONS,
    MAX_RECORD_BYTES,
    MODELS,
    ORDERS,
    Topic,
)
from stream.features import windows
from stream.features.apply import apply, prune
from stream.features.profile import Profile
from stream.kafka import dead_letters
from stream.kafka.restore import messages
from stream.settings import Settings
from stream.sources.event import SourceEvent
from tests.chaos.events import DAYS
from tests.integration.administration import configure
from tests.integration.kafka_tools import newest, profiles, records

END = START + (DAYS + 10) * DAY_MS
_ALERTS = msgspec.json.Decoder(Alert)
_EXAMPLES = msgspec.json.Decoder(Example)
_MODELS = msgspec.json.Decoder(ModelSnapshot)
_SNAPSHOTS = msgspec.json.Decoder(Snapshot)
# What a profile knows of the course of things rather than of the events.
_COURSE = frozenset({"known", "ids", "applied", "touched", "scored", "fired", "seen"})


class Outcome(NamedTuple):
    """Profiles by field, snapshots by id, interactions, alerts, and the origins of dead letters; each output once.

    `examples` are what came of each prediction, and `learned` how many of each target the online model has learned.
    `contradicted` are snapshots that were emitted twice with different contents.
    """

    profiles: dict[str, dict[str, Any]]
    snapshots: dict[str, Snapshot]
    interactions: frozenset[bytes]
    letters: frozenset[tuple[int, int]]
    alerts: frozenset[str]
    examples: frozenset[tuple[object, ...]]
    learned: dict[str, int]
    repeats: int
    contradicted: int


def outcome(shop: Settings) -> Outcome:
    """Read everything that the profile stage has written."""
    emitted = [_snapshot(value) for _, value in records(shop, FEATURES)]
    first: dict[str, Snapshot] = {}
    contradicted = sum(first.setdefault(snapshot.id, snapshot) != snapshot for snapshot in emitted)
    return Outcome(
        {customer: fields(profile) for customer, profile in profiles(shop).items()},
        first,
        # Which lists were shown depends on which lists had been read by then.
        frozenset(value or b"" for _, value in records(shop, INTERACTIONS) if b'"shown":' not in (value or b"")),
        frozenset(letter.origin[1:] for letter in dead_letters.read(shop)),
        frozenset(_ALERTS.decode(value or b"").decision_id for _, value in records(shop, ALERTS)),
        frozenset(_happened(_EXAMPLES.decode(value)) for _, value in records(shop, EXAMPLES) if value is not None),
        _learned(shop),
        len(emitted) - len(first),
        contradicted,
    )


def _snapshot(value: bytes | None) -> Snapshot:
    # When it came about is the wall clock's, and how far the topics were read is the run's.
    return msgspec.structs.replace(_SNAPSHOTS.decode(value or b""), arrived=0, applied={})


def _happened(example: Example) -> tuple[object, ...]:
    # What was predicted is the version's that served it, which comes at another time in every run.
    return example.id, example.customer, example.at, example.matured, example.target, example.label, example.amount


def _learned(shop: Settings) -> dict[str, int]:
    model = newest(shop, MODELS).get(NAME.encode())
    found = _MODELS.decode(model).metrics if model else {}
    return {target: int(found.get(f"{target}.learned", 0)) for target in TARGETS}


def fields(profile: Profile, end: int = END) -> dict[str, Any]:
    """A profile's fields as of a time after everything: flushes forget old buckets as the clock moves on."""
    prune(profile, end)
    windows.prune(profile.counters, end)
    found = {field.name: getattr(profile, field.name) for field in dataclasses.fields(profile)}
    del found["applied"]
    return found | {"money": {currency: net for currency, net in profile.money.items() if net}}


def pure(events: list[SourceEvent], end: int = END) -> dict[str, dict[str, Any]]:
    """What the events up to a time say of each customer, in their order, without Kafka and without crashes."""
    found: dict[str, Profile] = {}
    for event in sorted(events, key=lambda event: event.at):
        try:
            one = decode(event.value, "USD")
        except Rejected:
            continue
        if one.at <= end:
            apply(found.setdefault(one.customer, Profile(one.customer)), one, "USD")
    return {customer: facts(fields(profile, end)) for customer, profile in found.items()}


def facts(profile: dict[str, Any]) -> dict[str, Any]:
    """The fields that follow from the events alone."""
    return {name: value for name, value in profile.items() if name not in _COURSE}


def differences(got: Outcome, want: Outcome) -> list[str]:
    """In words, what is not the same; empty when the two are equal."""
    said = list(unlike_profiles(got.profiles, want.profiles))
    said += apart("snapshot", set(got.snapshots), set(want.snapshots))
    triggers = Counter(
        want.snapshots.get(name, got.snapshots.get(name)).trigger  # type: ignore[union-attr]
        for name in set(got.snapshots) ^ set(want.snapshots)
    )
    if triggers:
        said.append(f"triggers of these snapshots: {dict(triggers)}")
    both = set(got.snapshots) & set(want.snapshots)
    unlike = [name for name in both if got.snapshots[name] != want.snapshots[name]]
    if unlike:
        said.append(f"{len(unlike)} snapshots with other contents: {_fields_unlike(got, want, unlike)}")
    said += apart("interaction", set(got.interactions), set(want.interactions))
    said += apart("decision", set(got.alerts), set(want.alerts))
    said += apart("example", set(got.examples), set(want.examples))
    targets = Counter(example[4] for example in got.examples)
    if got.learned and any(got.learned.values()) and got.learned != {t: targets[t] for t in got.learned}:
        said.append(f"the model has learned {got.learned} of {dict(targets)} examples")
    said += apart("dead letter", set(got.letters), set(want.letters))
    if got.contradicted:
        said.append(f"{got.contradicted} snapshots repeated with other contents")
    return said


def _fields_unlike(got: Outcome, want: Outcome, names: list[str]) -> dict[str, int]:
    return dict(
        Counter(
            field
            for name in names
            for field in Snapshot.__struct_fields__
            if getattr(got.snapshots[name], field) != getattr(want.snapshots[name], field)
        )
    )


def unlike_profiles(got: dict[str, dict[str, Any]], want: dict[str, dict[str, Any]]) -> Iterator[str]:
    """How two sets of profiles differ."""
    yield from apart("profile", set(got), set(want))
    counts: Counter[str] = Counter()
    example = {}
    for customer in set(got) & set(want):
        for name, value in want[customer].items():
            if got[customer][name] != value:
                counts[name] += 1
                example[name] = f"{customer}: {got[customer][name]!r}, not {value!r}"[:300]
    for name, number in counts.items():
        yield f"{number} profiles with another `{name}`, such as {example[name]}"


def apart(what: str, got: set[Any], want: set[Any]) -> Iterator[str]:
    """What `got` lacks of `want`, and has beyond it; `what` is one of them."""
    if want - got:
        yield f"{len(want - got)} {what}s missing, such as {next(iter(want - got))}"
    if got - want:
        yield f"{len(got - want)} {what}s too many, such as {next(iter(got - want))}"


def copy_log(shop: Settings, to: Settings) -> int:
    """The inputs of one shop into another's empty topics, record by record, arrival times and all; how many."""
    for topic in (CLICKSTREAM, ORDERS):
        configure(to, topic, {"message.timestamp.type": "CreateTime"})
    producer = Producer(
        {"bootstrap.servers": to.kafka_brokers, "enable.idempotence": True, "message.max.bytes": MAX_RECORD_BYTES}
    )
    copied = 0
    for topic in (CLICKSTREAM, ORDERS):
        for number in range(shop.partitions):
            source = messages(shop.kafka_brokers, shop.topic(topic.name), number)
            for offset, message in enumerate(source):
                assert message.offset() == offset, f"{message.topic()} has a gap before {message.offset()}"
                producer.produce(
                    to.topic(topic.name), message.value(), message.key(), number, timestamp=message.timestamp()[1]
                )
                producer.poll(0)
                copied += 1
    assert producer.flush(60) == 0
    return copied


def ends(consumer: Any, shop: Settings, topic: Topic) -> int:
    """The sum of a topic's ends; it moves as soon as anything is written."""
    name = shop.topic(topic.name)
    return sum(
        consumer.get_watermark_offsets(TopicPartition(name, n), timeout=2)[1]
        for n in range(1 if topic.single else shop.partitions)
    )
