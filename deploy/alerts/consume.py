"""Reading `alerts` as a retention system should: in a group, each decision once, nothing lost.

A batch is handled before its offsets are committed: after a crash it is read again, so nothing is lost, and what was
handled and not committed is handled again unless the handler remembers it (`deploy.alerts.journal` does). What a crash
of Footfall made it say twice stands close together in one partition: when a partition is assigned, the decisions just
before the group's position are read back and remembered, so that also the first after a restart is known for a repeat.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from deploy.alerts.seen import Seen
from schemas.errors import OperatorError
from schemas.outputs import Alert
from schemas.topics import ALERTS
from stream.kafka.admin import existing_topics
from stream.kafka.restore import bounds, messages
from stream.settings import Settings

log = logging.getLogger("footfall.alerts")
GROUP: Final = "footfall-retention"
BATCH: Final = 500
WAIT_S: Final = 0.5
# Read back of each partition: more than a stage says between two of its commits.
READ_BACK: Final = 2_000
_TIMEOUT_S: Final = 30.0
_alerts = msgspec.json.Decoder(Alert)


class Retention:
    """A member of a consumer group on `alerts`; `repeats` and `unreadable` count what was passed over."""

    def __init__(self, settings: Settings, group: str, seen: Seen) -> None:
        self._settings = settings
        self._topic = settings.topic(ALERTS.name)
        if self._topic not in existing_topics(settings):
            raise OperatorError(f"Kafka has no topic {self._topic}; create it with `footfall topics --create`")
        self._seen = seen
        self.repeats = 0
        self.unreadable = 0
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka_brokers,
                "group.id": settings.topic_prefix + group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "session.timeout.ms": int(settings.session_timeout_s * 1000),
                "logger": log,
            }
        )
        self._ended: set[int] = set()
        self._assigned: set[int] = set()
        self._consumer.subscribe([self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke)

    def batches(self, *, follow: bool, stop: Callable[[], bool]) -> Iterator[list[Alert]]:
        """New alerts, each decision once; a batch's offsets are committed when the next is asked for.

        Without `follow` it ends where the topic ends. Raises `KafkaException` for what does not pass by itself.
        """
        while not stop():
            read = self._consumer.consume(BATCH, WAIT_S)
            records = [message for message in read if not self._failed(message)]
            if records:
                yield [alert for message in records if (alert := self._take(message)) is not None]
                self._commit(records)
            elif not follow and self._assigned and self._ended >= self._assigned:
                return

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _take(self, message: Message) -> Alert | None:
        value = message.value()
        if value is None:
            return None
        try:
            alert = _alerts.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.unreadable += 1
            log.warning("%s-%s@%s is no alert: %s", self._topic, message.partition(), message.offset(), error)
            return None
        if self._seen.add(alert.decision_id):
            return alert
        self.repeats += 1
        return None

    def _commit(self, records: list[Message]) -> None:
        ends: dict[int, int] = {}
        for message in records:
            ends[message.partition()] = message.offset() + 1
        places = [TopicPartition(self._topic, number, offset) for number, offset in ends.items()]
        try:
            self._consumer.commit(offsets=places, asynchronous=False)
        except KafkaException as error:
            # The partition is another member's by now: it reads them again, and this one need not.
            if error.args[0].code() not in (KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID):
                raise

    def _failed(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            self._ended.discard(message.partition())
            return False
        if error.code() == KafkaError._PARTITION_EOF:
            self._ended.add(message.partition())
        elif error.fatal() or not error.retriable():
            raise KafkaException(error)
        return True

    def _on_assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        for place in consumer.committed(places, timeout=_TIMEOUT_S):
            self._assigned.add(place.partition)
            if place.offset > 0:
                self._read_back(consumer, place)

    def _read_back(self, consumer: Consumer, place: TopicPartition) -> None:
        low, _ = bounds(consumer, place, _TIMEOUT_S)
        start = max(low, place.offset - READ_BACK)
        if start >= place.offset:
            return
        brokers = self._settings.kafka_brokers
        for message in messages(brokers, self._topic, place.partition, start=start or OFFSET_BEGINNING):
            if message.offset() >= place.offset:
                return
            self._remember(message)

    def _remember(self, message: Message) -> None:
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            self._seen.add(_alerts.decode(message.value() or b"").decision_id)

    def _on_revoke(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        for place in places:
            self._assigned.discard(place.partition)
            self._ended.discard(place.partition)


def find(settings: Settings, decision_id: str) -> Alert:
    """The alert of a decision, looked for in the whole topic. Raises `OperatorError` where there is none."""
    topic = settings.topic(ALERTS.name)
    for number in range(existing_topics(settings).get(topic, 0)):
        for message in messages(settings.kafka_brokers, topic, number):
            if decision_id.encode() in (message.value() or b""):
                alert = _alerts.decode(message.value() or b"")
                if alert.decision_id == decision_id:
                    return alert
    raise OperatorError(f"no alert has the decision {decision_id!r}; `footfall alerts --format json` shows their ids")
