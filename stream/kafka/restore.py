"""Reading a topic's partition from start to end: how a store comes back, and how dead letters are looked through."""

import time
from collections.abc import Callable, Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

Accept = Callable[[bytes, bytes | None], None]
_BATCH = 10_000
# `consume` returns when the batch is full or this has passed, so it bounds what an end of partition is noticed late.
_WAIT_S = 0.1
_SETTLE_S = 10.0


def read_partition(brokers: str, topic: str, partition: int, accept: Accept, timeout_s: float = 60.0) -> int:
    """Pass every (key, value) of the partition to `accept`, tombstones as None; returns how many. Blocks.

    Raises `KafkaException` when the broker does not answer within `timeout_s`.
    """
    count = 0
    for message in messages(brokers, topic, partition, timeout_s=timeout_s):
        key = message.key()
        if key is not None:
            accept(key, message.value())
            count += 1
    return count


def messages(
    brokers: str, topic: str, partition: int, *, start: int = OFFSET_BEGINNING, timeout_s: float = 60.0
) -> Iterator[Message]:
    """Every record of the partition from offset `start` to the end as it is now. Blocks while it is iterated.

    Raises `KafkaException` when the broker does not answer within `timeout_s`.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "footfall-restore",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 8 * 1024 * 1024,
        }
    )
    try:
        source = TopicPartition(topic, partition, start)
        # The end as it is now: while others write all the time, an end of partition is never seen.
        low, end = _bounds(consumer, source, timeout_s)
        if max(low, start) >= end:
            return
        consumer.assign([source])
        heard = time.monotonic()
        while True:
            batch = consumer.consume(_BATCH, _WAIT_S)
            if batch:
                heard = time.monotonic()
            elif time.monotonic() - heard > timeout_s:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no answer from {brokers} for {topic}"))
            for message in batch:
                error = message.error()
                if error is None:
                    if message.offset() < end:
                        yield message
                    if message.offset() >= end - 1:
                        return
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                elif error.fatal() or not error.retriable():
                    raise KafkaException(error)
    finally:
        consumer.close()


def _bounds(consumer: Consumer, source: TopicPartition, timeout_s: float) -> tuple[int, int]:
    """First offset and end of a partition, which for a moment after its creation not every broker knows."""
    deadline = time.monotonic() + min(timeout_s, _SETTLE_S)
    while True:
        try:
            low, end = consumer.get_watermark_offsets(source, timeout_s)
        except KafkaException:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_WAIT_S)
        else:
            return low, end
