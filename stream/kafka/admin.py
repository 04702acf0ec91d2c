"""Topics on the cluster: created from `schemas.topics`, never changed."""

import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.errors import OperatorError
from schemas.topics import TOPICS, Topic
from stream.settings import Settings

POLL_S = 0.05


def partitions_of(topic: Topic, settings: Settings) -> int:
    """How many partitions a topic has in this installation."""
    return 1 if topic.single else settings.partitions


def existing_topics(settings: Settings, timeout_s: float = 5.0) -> dict[str, int]:
    """Every topic on the cluster with its number of partitions; OperatorError where no broker answers."""
    return _counts(_client(settings), settings, timeout_s)


def create_topics(settings: Settings, timeout_s: float = 30.0, topics: Iterable[Topic] = TOPICS) -> list[str]:
    """Create those of the topics that are missing and return their names; what exists stays as it is.

    Raises OperatorError where an existing topic has another partition count (keys would move between partitions, and
    with them customers' state), where the broker refuses one, and where no broker answers.
    """
    client = _client(settings)
    wanted = {settings.topic(topic.name): topic for topic in topics}
    counts = _counts(client, settings, timeout_s)
    _check(counts, wanted, settings)
    missing = [
        NewTopic(name, partitions_of(topic, settings), settings.replication, config=topic.config())
        for name, topic in wanted.items()
        if name not in counts
    ]
    if not missing:
        return []
    futures: dict[str, Future[Any]] = client.create_topics(missing)
    created = [name for name, future in futures.items() if _created(name, future, timeout_s)]
    _await_visible(client, wanted, settings, timeout_s)
    return created


def _check(counts: dict[str, int], wanted: dict[str, Topic], settings: Settings) -> None:
    """Raise OperatorError where a topic exists with another number of partitions."""
    for name, topic in wanted.items():
        count = partitions_of(topic, settings)
        if counts.get(name, count) != count:
            remedy = (
                "delete the topic"
                if topic.single
                else f"set FOOTFALL_PARTITIONS={counts[name]}, take another FOOTFALL_TOPIC_PREFIX, or delete the topic"
            )
            raise OperatorError(f"topic {name} has {counts[name]} partitions, not {count}: {remedy}")


def _await_visible(client: AdminClient, wanted: dict[str, Topic], settings: Settings, timeout_s: float) -> None:
    """Return once clients can see every topic: a broker learns of a new one only after its controller has made it."""
    deadline = time.monotonic() + timeout_s
    while not wanted.keys() <= (counts := _counts(client, settings, timeout_s)).keys():
        if time.monotonic() > deadline:
            raise OperatorError(f"the topics were created, and {settings.kafka_brokers} does not show them: try again")
        time.sleep(POLL_S)
    _check(counts, wanted, settings)


def _created(name: str, future: "Future[Any]", timeout_s: float) -> bool:
    """Whether this call created the topic: another process may have done so a moment before."""
    try:
        future.result(timeout_s)
    except KafkaException as error:
        cause = error.args[0]
        if cause.code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise OperatorError(f"the broker refused topic {name}: {cause.str()}") from error
    return True


def _client(settings: Settings) -> AdminClient:
    # Refused connections are reported through the call that fails, not as lines of librdkafka's own on stderr.
    return AdminClient({"bootstrap.servers": settings.kafka_brokers, "log_level": 0, "socket.timeout.ms": 10_000})


def _counts(client: AdminClient, settings: Settings, timeout_s: float) -> dict[str, int]:
    try:
        metadata = client.list_topics(timeout=timeout_s)
    except KafkaException as error:
        raise OperatorError(
            f"no Kafka broker answers at {settings.kafka_brokers}: run `footfall up`, or set FOOTFALL_KAFKA_BROKERS"
        ) from error
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}
