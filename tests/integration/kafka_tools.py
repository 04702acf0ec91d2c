"""What the integration tests do to a shop's topics: send, read back, wait."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from confluent_kafka import Producer

from schemas.topics import PROFILES, Topic
from stream.features.codec import decode_profile
from stream.features.marker import MARKER
from stream.features.profile import Profile
from stream.kafka.restore import read_partition
from stream.settings import Settings

WAIT_S = 90.0
T = TypeVar("T")


def until(ask: Callable[[], T], good: Callable[[T], bool], what: str, seconds: float = WAIT_S) -> T:
    """Ask until the answer is good; fails with the last answer when that takes too long."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if good(answer):
            return answer
        assert time.monotonic() < end, f"{what}: still {answer!r} after {seconds:.0f} s"
        time.sleep(0.2)


def send(shop: Settings, topic: Topic, records: Sequence[tuple[bytes | None, bytes]], **config: object) -> None:
    """Produce (key, value) records and wait until they are acknowledged."""
    producer = Producer(
        {
            "bootstrap.servers": shop.kafka_brokers,
            "partitioner": "murmur2_random",
            "message.max.bytes": 8 * 1024 * 1024,
            **config,
        }
    )
    for key, value in records:
        producer.produce(shop.topic(topic.name), value, key)
    assert producer.flush(60) == 0


def records(shop: Settings, topic: Topic) -> list[tuple[bytes, bytes | None]]:
    """Every (key, value) of a topic, partition by partition."""
    found: list[tuple[bytes, bytes | None]] = []
    for number in range(1 if topic.single else shop.partitions):
        read_partition(
            shop.kafka_brokers, shop.topic(topic.name), number, lambda key, value: found.append((key, value))
        )
    return found


def newest(shop: Settings, topic: Topic) -> dict[bytes, bytes]:
    """The last value of every key of a topic."""
    last = dict(records(shop, topic))
    return {key: value for key, value in last.items() if value is not None}


def profiles(shop: Settings) -> dict[str, Profile]:
    """The profiles as the topic holds them."""
    return {key.decode(): decode_profile(value) for key, value in newest(shop, PROFILES).items() if key != MARKER}
