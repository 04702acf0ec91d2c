"""The real broker: topics from the contract, records as large as allowed, and data that outlives a kill."""

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy.local.broker import round_trip
from deploy.local.supervisor import Stack
from schemas.errors import OperatorError
from schemas.topics import MAX_RECORD_BYTES, MODELS, PROFILES, TOPICS
from stream.kafka.admin import create_topics, existing_topics
from stream.settings import Settings
from tests.integration.stacks import local_settings

pytestmark = pytest.mark.integration


def produce(brokers: str, topic: str, value: bytes, **config: str | int) -> None:
    """Produce one record and see it acknowledged."""
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": brokers, "message.max.bytes": MAX_RECORD_BYTES, **config})
    producer.produce(topic, value, b"key", 0, on_delivery=lambda error, _message: failures.append(error))
    producer.flush(30)
    assert failures == [None]


def first_record(brokers: str, topic: str) -> bytes | None:
    """The first record of a topic's partition 0."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "t", "auto.offset.reset": "earliest"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(30)
        return message.value() if message else None
    finally:
        consumer.close()


def test_a_record_goes_round(broker: Settings) -> None:
    round_trip(broker.kafka_brokers)


def test_topics_are_created_once_with_their_partitions(shop: Settings) -> None:
    counts = existing_topics(shop)
    for topic in TOPICS:
        assert counts[shop.topic(topic.name)] == (1 if topic.single else shop.partitions)
    assert create_topics(shop) == []


def test_another_partition_count_is_refused_with_the_way_out(shop: Settings) -> None:
    changed = shop.model_copy(update={"partitions": 3})
    with pytest.raises(OperatorError, match="has 2 partitions, not 3: set FOOTFALL_PARTITIONS=2"):
        create_topics(changed)


def test_topics_are_not_created_by_accident(broker: Settings) -> None:
    consumer = Consumer({"bootstrap.servers": broker.kafka_brokers, "group.id": "t", "log_level": 0})
    consumer.subscribe(["no-such-topic"])
    message = consumer.poll(3)
    consumer.close()
    assert message is not None
    assert message.error() is not None
    assert "no-such-topic" not in existing_topics(broker)


@pytest.mark.parametrize("codec", ["none", "gzip", "lz4", "snappy", "zstd"])
def test_the_largest_record_is_taken_under_every_codec(shop: Settings, codec: str) -> None:
    value = bytes(MAX_RECORD_BYTES - 1_000)
    produce(shop.kafka_brokers, shop.topic(MODELS.name), value, **{"compression.type": codec})
    assert first_record(shop.kafka_brokers, shop.topic(MODELS.name)) == value


async def test_what_was_acknowledged_outlives_a_kill_and_a_restart(tmp_path: Path) -> None:
    settings = local_settings(tmp_path)
    topic = settings.topic(PROFILES.name)
    async with Stack(settings, ["kafka", "topics"]) as stack:
        produce(settings.kafka_brokers, topic, b"before the kill")
        before = stack.pid("kafka")
        stack.kill("kafka")
        await stack.restarted("kafka")
        assert stack.pid("kafka") != before
        assert first_record(settings.kafka_brokers, topic) == b"before the kill"
    async with Stack(local_settings(tmp_path), ["kafka"]) as stack:
        assert first_record(stack.settings.kafka_brokers, topic) == b"before the kill"
