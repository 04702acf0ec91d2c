"""Asking the stages to forget a customer, and seeing that they have: by what their consumer groups have committed."""

import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Producer as Client
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from schemas.errors import OperatorError
from schemas.outputs import encode
from schemas.topics import CLICKSTREAM, FEATURES, INTERACTIONS, MERGES, ORDERS, SCORES, Topic
from stream.kafka.partitioner import home
from stream.kafka.producer import config
from stream.kafka.stage import group_id
from stream.settings import Settings

POLL_S: Final = 0.2
_TIMEOUT_S: Final = 10.0

# Offsets (exclusive) of a topic's partitions.
Ends = dict[int, int]


class Late(Exception):
    """A stage has not done what it was asked to; `stage` is its name."""

    def __init__(self, stage: str) -> None:
        super().__init__(stage)
        self.stage = stage


class Asking:
    """One erasure's side of Kafka. Raises `OperatorError` when Kafka does not answer."""

    def __init__(self, settings: Settings, customer: str, deadline: float, told: Callable[[str], None]) -> None:
        self._settings = settings
        self._deadline = deadline
        self._told = told
        self.home = home(customer, settings.partitions)
        self._client = Client(config(settings.kafka_brokers, "footfall-erase", 30.0))

    def after(self) -> list[int]:
        """Where the event topics of the customer's partition end now."""
        return [self.ends(topic, [self.home])[self.home] for topic in (CLICKSTREAM, ORDERS)]

    def ask(self, to: str, said: Struct) -> None:
        """Send a record of `merges` to the partition of an id, and wait for the profile stage to have done it."""
        number = home(to, self._settings.partitions)
        offset = self._send(MERGES, to.encode(), encode(said), number)
        self.reached("profile", MERGES, {number: offset + 1})

    def put(self, topic: Topic, number: int, key: bytes, value: bytes | None) -> None:
        """Replace (None: delete) a key's record in a compacted topic."""
        self._send(topic, key, value, number)

    def merges(self) -> None:
        """Wait for the profile stage to have read what `merges` holds now."""
        self.reached("profile", MERGES, self.ends(MERGES))

    def told_on(self) -> None:
        """Wait for the stages behind the profile stage to have read what they were told by now."""
        self.reached("score", FEATURES, self.ends(FEATURES, [self.home]))
        self.reached("label", SCORES, self.ends(SCORES, [self.home]))
        self.reached("label", INTERACTIONS, self.ends(INTERACTIONS, [self.home]))

    def reached(self, stage: str, topic: Topic, ends: Ends) -> None:
        """Wait until a stage has committed a topic up to `ends`. Raises `Late` at the deadline."""
        self._told(f"waiting for the {stage} stage")
        consumer = self._consumer(group_id(self._settings, stage))
        try:
            while not self._committed(consumer, topic, ends):
                if time.monotonic() > self._deadline:
                    raise Late(stage)
                time.sleep(POLL_S)
        except KafkaException as error:
            raise self._away(error) from error
        finally:
            consumer.close()

    def ends(self, topic: Topic, numbers: list[int] | None = None) -> Ends:
        """Where a topic's partitions end now."""
        consumer = self._consumer("footfall-erase")
        name = self._settings.topic(topic.name)
        try:
            return {
                number: consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_TIMEOUT_S)[1]
                for number in (range(self._settings.partitions) if numbers is None else numbers)
            }
        except KafkaException as error:
            raise self._away(error) from error
        finally:
            consumer.close()

    def running(self, stage: str) -> bool:
        """Whether any worker of a stage is in its group."""
        group = group_id(self._settings, stage)
        client = AdminClient({"bootstrap.servers": self._settings.kafka_brokers, "log_level": 0})
        try:
            return bool(client.describe_consumer_groups([group])[group].result(_TIMEOUT_S).members)
        except KafkaException:
            return False

    def _committed(self, consumer: Consumer, topic: Topic, ends: Ends) -> bool:
        name = self._settings.topic(topic.name)
        places = [TopicPartition(name, number) for number, end in ends.items() if end]
        if not places:
            return True
        found = consumer.committed(places, timeout=_TIMEOUT_S)
        return all(place.offset >= ends[place.partition] for place in found)

    def _send(self, topic: Topic, key: bytes, value: bytes | None, number: int) -> int:
        acknowledged: list[int] = []

        def report(error: object, message: object) -> None:
            if error is None:
                acknowledged.append(message.offset())  # type: ignore[attr-defined]

        self._client.produce(self._settings.topic(topic.name), value, key, number, on_delivery=report)
        self._client.flush(30)
        if not acknowledged:
            raise OperatorError(f"Kafka does not take a record on {topic.name}; see that it is well, and try again")
        return acknowledged[0]

    def _consumer(self, group: str) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._settings.kafka_brokers,
                "group.id": group,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )

    def _away(self, error: KafkaException) -> OperatorError:
        return OperatorError(f"Kafka at {self._settings.kafka_brokers} does not answer ({error}); see that it is well")
