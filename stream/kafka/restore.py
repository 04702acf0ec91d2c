"""Reading a topic's partition from start to end: how a store comes back, and how dead letters are looked through."""

import time
from collections.abc import Callable, Iterator

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import OperatorError

Accept = Callable[[bytes, bytes | None], None]
_BATCH = 10_000
# `consume` returns when the batch is full or this has passed, so it bounds what an end of partition is noticed late.
_WAIT_S = 0.1
SETTLE_S = 10.0


class StoreBroken(OperatorError):
    """The newest record of a key cannot be read: its state would be lost in silence."""


def read_partition(brokers: str, topic: str, partition: int, accept: Accept, timeout_s: float = 60.0) -> int:
    """Pass every (key, value) of the partition to `accept`, tombstones as None; returns how many. Blocks.

    `accept` raises `ValueError` or `MsgspecError` for a record that it cannot read. Another one behind it with the same
    key makes good for that; else `StoreBroken` is raised in the end.
    Raises `KafkaException` when the broker does not answer within `timeout_s`.
    """
    count = 0
    broken: dict[bytes, tuple[int, Exception]] = {}
    for message in messages(brokers, topic, partition, timeout_s=timeout_s):
        key = message.key()
        if key is not None:
            try:
                accept(key, message.value())
            except (ValueError, msgspec.MsgspecError) as error:
                broken[key] = message.offset(), error
            else:
                if broken:
                    broken.pop(key, None)
            count += 1
    if broken:
        key, (offset, why) = min(broken.items(), key=lambda found: found[1][0])
        raise StoreBroken(
            f"{topic}-{partition} cannot be restored: {len(broken)} records cannot be read, the first at offset "
            f"{offset} with the key {key!r} ({why}). If a newer release wrote them, start that one. Else send a "
            f"tombstone (a record without a value) for this key to partition {partition} of {topic}, which forgets it, "
            "and run `footfall rewind`: what the others hold is skipped, this one made of what the inputs still have"
        )
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
        low, end = bounds(consumer, source, timeout_s)
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


def bounds(consumer: Consumer, source: TopicPartition, timeout_s: float) -> tuple[int, int]:
    """First offset and end of a partition, which for a moment after its creation not every broker knows."""
    deadline = time.monotonic() + min(timeout_s, SETTLE_S)
    while True:
        try:
            low, end = consumer.get_watermark_offsets(source, timeout_s)
        except KafkaException:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_WAIT_S)
        else:
            return low, end
