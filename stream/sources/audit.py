"""Do the profiles hold what was sent? Read from the topics themselves, so that no stage has to be believed."""

from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.errors import OperatorError
from schemas.merges import Carry
from stream.features.codec import decode_profile
from stream.features.ids import Identity
from stream.features.marker import MARKER
from stream.features.profile import Profile
from stream.kafka.restore import read_partition
from stream.settings import Settings

_TIMEOUT_S = 10.0


class Orders(NamedTuple):
    """Orders, and their revenue in minor units."""

    number: int
    revenue: int


class Lag:
    """How many records of a topic a consumer group has not committed. It reads offsets, and joins nothing."""

    def __init__(self, settings: Settings, group: str, topic: str) -> None:
        self._settings = settings
        self._topic = settings.topic(topic)
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka_brokers,
                "group.id": settings.topic_prefix + group,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        self._partitions = [TopicPartition(self._topic, number) for number in partitions(self._consumer, self._topic)]

    def read(self) -> int:
        """The lag now. Raises `OperatorError` when Kafka does not answer."""
        try:
            committed = self._consumer.committed(self._partitions, timeout=_TIMEOUT_S)
            return sum(self._of(partition) for partition in committed)
        except KafkaException as error:
            raise _away(self._settings, error) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _of(self, partition: TopicPartition) -> int:
        low, high = self._consumer.get_watermark_offsets(partition, timeout=_TIMEOUT_S)
        return int(high - max(low, partition.offset))


def partitions(consumer: Consumer, topic: str) -> list[int]:
    """The partitions of a topic. Raises `OperatorError` when it does not exist or nobody answers."""
    try:
        found = consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic].partitions
    except KafkaException as error:
        raise OperatorError(
            f"no Kafka broker answers ({error}); run `footfall up`, or set FOOTFALL_KAFKA_BROKERS"
        ) from error
    if not found:
        raise OperatorError(f"Kafka has no topic {topic}; create it with `footfall topics --create`")
    return sorted(found)


def orders_in_profiles(settings: Settings, customers: str, currency: str, seen: Callable[[int], None]) -> Orders:
    """Summed over the profiles whose customer's id begins with `customers`; `seen` is told of each record read.

    What a device's record has on its way to a user is hers, until her own profile has taken it; a moment in between it
    is in neither, only in Kafka.
    """
    topic = settings.topic("profiles")
    probe = Consumer({"bootstrap.servers": settings.kafka_brokers, "group.id": "footfall-audit", "log_level": 0})
    try:
        numbers = partitions(probe, topic)
    finally:
        probe.close()
    held: dict[str, Held] = {}

    def accept(key: bytes, value: bytes | None) -> None:
        seen(1)
        if key == MARKER:
            return
        name = key.decode(errors="replace")
        if value is None:
            held.pop(name, None)
            return
        try:
            held[name] = _held(decode_profile(value), currency)
        except ValueError as error:
            raise OperatorError(f"the profile of {name} is not readable: {error}") from error

    try:
        for number in numbers:
            read_partition(settings.kafka_brokers, topic, number, accept)
    except KafkaException as error:
        raise _away(settings, error) from error
    return _sum(held, customers)


class Held(NamedTuple):
    """Own orders, what was taken from which device, and what is on its way: (device, user, generation, orders)."""

    orders: Orders
    taken: dict[str, int]
    outgoing: list[tuple[str, str, int, Orders]]


def _held(profile: Profile, currency: str) -> Held:
    own = Orders(profile.orders_total, profile.money.get(currency, 0))
    ids = profile.ids or Identity()
    outgoing = [
        (slot.device, slot.user, generation, _held(decode_profile(slot.profile), currency).orders)
        for generation, slot in ids.outgoing.items()
        if isinstance(slot, Carry)
    ]
    return Held(own, {name: device.taken for name, device in ids.devices.items()}, outgoing)


def _sum(held: dict[str, Held], prefix: str) -> Orders:
    found = [one.orders for name, one in held.items() if name.startswith(prefix)]
    for one in held.values():
        for device, user, generation, orders in one.outgoing:
            taken = held[user].taken.get(device, -1) if user in held else -1
            if user.startswith(prefix) and generation > taken:
                found.append(orders)
    return Orders(sum(one.number for one in found), sum(one.revenue for one in found))


def _away(settings: Settings, error: KafkaException) -> OperatorError:
    return OperatorError(f"Kafka at {settings.kafka_brokers} does not answer ({error}); see that it is well")
