"""What a partition had sent, read back from the real broker: from the last commit on, and what it said lately."""

from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.topics import ALERTS, FEATURES, SCORES
from stream.kafka.sent import LEAST, Sent, origin, read_back
from stream.kafka.stage import group_id
from stream.settings import Settings

pytestmark = pytest.mark.integration

OLDER = 30


@pytest.fixture
def shop(new_shop: Callable[..., Settings]) -> Settings:
    return new_shop(partitions=2)


def fill(shop: Settings, topic: str, origins: list[int]) -> None:
    """Records of partition 1; what an older version sent names no origin."""
    producer = Producer({"bootstrap.servers": shop.kafka_brokers, "enable.idempotence": True})
    for n in range(OLDER):
        producer.produce(shop.topic(topic), b"older %d" % n, b"k", 1)
    for offset in origins:
        producer.produce(shop.topic(topic), b"%d" % offset, b"k", 1, headers=list(origin(offset)))
    producer.produce(shop.topic(topic), b"another partition's", b"k", 0, headers=list(origin(10**6)))
    assert producer.flush(60) == 0


def commit(shop: Settings, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": group_id(shop, "score")})
    consumer.commit(offsets=[TopicPartition(shop.topic(FEATURES.name), 1, offset)], asynchronous=False)
    consumer.close()


def back(shop: Settings) -> dict[str, list[Sent]]:
    found: dict[str, list[Sent]] = {SCORES.name: [], ALERTS.name: []}
    group = group_id(shop, "score")
    for one in read_back(shop.kafka_brokers, shop.topic_prefix, group, FEATURES.name, list(found), 1):
        found[one.topic].append(one)
    return found


def test_all_that_was_sent_since_the_commit_is_read_back_however_much_it_is(shop: Settings) -> None:
    many = 5 * LEAST
    fill(shop, SCORES.name, [*range(many), many + 1, many + 2])
    fill(shop, ALERTS.name, [3, many - 1])
    commit(shop, LEAST)
    found = back(shop)
    again = {topic: [one.origin for one in records if one.again] for topic, records in found.items()}
    assert again == {SCORES.name: [*range(LEAST, many), many + 1, many + 2], ALERTS.name: [many - 1]}
    # Some of what is done with, the newest of it without a gap: who repeats that is known.
    done = [one.origin for one in found[SCORES.name] if not one.again]
    assert done[-1] == LEAST - 1
    assert len(done) >= 100
    assert [one.value for one in found[ALERTS.name]][:1] == [b"older 0"]


def test_without_a_commit_all_was_sent_since(shop: Settings) -> None:
    fill(shop, SCORES.name, [0, 1])
    assert [one.origin for one in back(shop)[SCORES.name] if one.again] == [0, 1]
    assert back(shop)[ALERTS.name] == []
