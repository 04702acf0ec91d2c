"""Several partitions read to their ends by one consumer: one connection, however many topics are asked."""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream.kafka.restore import bounds
from stream.settings import Settings

TIMEOUT_S = 15.0
_BATCH, _WAIT_S = 10_000, 0.1
Place = tuple[str, int]


class Span(NamedTuple):
    """The offsets of a partition: the first that is kept, the first to read, and the end as it is now (exclusive)."""

    low: int
    start: int
    end: int


class Partitions:
    """Partitions, each (topic, number), with the newest `limit` records of each to be read (None: all).

    The names are those of `schemas.topics`. Raises `KafkaException` where the broker does not answer.
    """

    def __init__(self, settings: Settings, places: Iterable[Place], limit: int | None = None) -> None:
        self._names = {settings.topic(topic): topic for topic, _ in places}
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka_brokers,
                "group.id": "footfall-report",
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 8 * 1024 * 1024,
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )
        self.spans = {place: self._span(settings, place, limit) for place in places}

    def __enter__(self) -> "Partitions":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def messages(self) -> Iterator[tuple[Place, Message]]:
        """Every record, each partition's in its order."""
        left = {place: span.end for place, span in self.spans.items() if span.start < span.end}
        names = {topic: name for name, topic in self._names.items()}
        self._consumer.assign([TopicPartition(names[topic], n, self.spans[topic, n].start) for topic, n in left])
        heard = time.monotonic()
        while left:
            batch = self._consumer.consume(_BATCH, _WAIT_S)
            if batch:
                heard = time.monotonic()
            elif time.monotonic() - heard > TIMEOUT_S:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no answer for {sorted(left)}"))
            else:
                self._drop_empty(left, names)
            for message in batch:
                if (error := message.error()) is not None:
                    if error.fatal() or not error.retriable():
                        raise KafkaException(error)
                    continue
                place = self._names[message.topic() or ""], message.partition() or 0
                offset, end = message.offset() or 0, left.get(place)
                if end is not None and offset < end:
                    yield place, message
                if end is not None and offset >= end - 1:
                    del left[place]

    def _drop_empty(self, left: dict[Place, int], names: dict[str, str]) -> None:
        """A partition may end in records that are no messages, or that compaction took: its position tells."""
        asked = [TopicPartition(names[topic], number) for topic, number in left]
        for position in self._consumer.position(asked):
            place = self._names[position.topic], position.partition
            if position.offset >= left[place]:
                del left[place]

    def _span(self, settings: Settings, place: Place, limit: int | None) -> Span:
        low, end = bounds(self._consumer, TopicPartition(settings.topic(place[0]), place[1]), TIMEOUT_S)
        return Span(low, low if limit is None else max(low, end - limit), end)
