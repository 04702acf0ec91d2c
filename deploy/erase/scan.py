"""What the topics hold of a customer: read from the topics themselves, so that no stage has to be believed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from deploy.erase.naming import Naming
from schemas.errors import OperatorError
from schemas.topics import Topic
from stream.kafka.admin import partitions_of
from stream.kafka.restore import messages
from stream.settings import Settings

_TIMEOUT_S = 10.0
_FOREVER = 2**62


class Kept(NamedTuple):
    """How the broker keeps a topic, in ms: compacted or not, for how long, and how soon files and deletions go."""

    compact: bool
    retention: int
    segment: int
    lag: int
    deletion: int


@dataclass
class Span:
    """Records of hers in one partition: how many, and the first and last offset."""

    records: int
    first: int
    last: int


@dataclass
class Holding:
    """What a topic holds of her. `live` are the keys whose newest record is hers, with their values; by partition.

    `spans` are all her records in the log, deletions included; `newest` is the time (ms) of the last of them.
    """

    topic: Topic
    kept: Kept
    live: dict[tuple[int, bytes], bytes] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)
    newest: int = 0

    @property
    def records(self) -> int:
        """How many records of the log name her."""
        return sum(span.records for span in self.spans.values())

    def until(self) -> int | None:
        """When the last of them will be gone (ms), by the broker's settings; None where there is none, or no end."""
        if not self.records:
            return None
        kept = self.kept
        ways = []
        if kept.compact and not self.live and kept.lag < _FOREVER:
            ways.append(self.newest + kept.lag + kept.deletion)
        if kept.retention < _FOREVER:
            ways.append(self.newest + kept.retention + kept.segment)
        return min(ways, default=None)


def scan(settings: Settings, naming: Naming, topic: Topic, told: Callable[[int], None]) -> Holding:
    """Read a topic from end to end; `told` is called with every number of records read. Raises `OperatorError`."""
    try:
        found = Holding(topic, _kept(settings, topic))
        for number in range(partitions_of(topic, settings)):
            _scan_partition(settings, naming, found, number, told)
    except KafkaException as error:
        raise OperatorError(f"Kafka at {settings.kafka_brokers} does not answer ({error})") from error
    return found


def _scan_partition(
    settings: Settings, naming: Naming, found: Holding, number: int, told: Callable[[int], None]
) -> None:
    name = found.topic.name
    for count, message in enumerate(messages(settings.kafka_brokers, settings.topic(name), number), 1):
        if count % 1000 == 0:
            told(1000)
        key, value = message.key(), message.value()
        hers = naming.in_record(name, key, value, message.headers() or ())
        place = number, key or b""
        if hers or place in found.live:
            # What deletes a record of hers by its key, or replaces it, ends its life; the log still has it.
            found.live.pop(place, None)
        if not hers:
            continue
        if value is not None:
            found.live[place] = value
        span = found.spans.setdefault(number, Span(0, message.offset(), message.offset()))
        span.records += 1
        span.last = message.offset()
        found.newest = max(found.newest, message.timestamp()[1])


def _kept(settings: Settings, topic: Topic) -> Kept:
    client = AdminClient({"bootstrap.servers": settings.kafka_brokers, "log_level": 0})
    resource = ConfigResource(ConfigResource.Type.TOPIC, settings.topic(topic.name))
    said = client.describe_configs([resource])[resource].result(_TIMEOUT_S)
    policy = said["cleanup.policy"].value.split(",")

    def number(name: str) -> int:
        value = int(said[name].value)
        return _FOREVER if value < 0 else value

    return Kept(
        "compact" in policy,
        number("retention.ms") if "delete" in policy else _FOREVER,
        number("segment.ms"),
        number("max.compaction.lag.ms"),
        number("delete.retention.ms"),
    )
