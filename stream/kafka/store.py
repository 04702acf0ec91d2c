"""Is what a stage starts from still whole? Its store against its inputs, and its inputs against what it holds."""

from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from schemas.errors import OperatorError
from stream.kafka.restore import SETTLE_S, StoreBroken, bounds

_WAY_OUT: Final = (
    "Stop the stage's workers and run `footfall rewind`: what is still held is skipped, the rest is made of what the "
    "inputs still have"
)


class MadeAnew(OperatorError):
    """An input ends before what was read of it: its offsets name other records than they did."""


def check_store(brokers: str, topic: str, partition: int, group: str, inputs: Sequence[str]) -> str:
    """What a store's partition has evidently lost, in words; empty where nothing shows. Blocks.

    A compacted topic keeps its first offset, so one that begins later had records deleted. With `inputs`, one that
    holds nothing though its group has read something raises `StoreBroken`: going on would begin every profile afresh.
    """
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "enable.auto.commit": False})
    try:
        low, end = bounds(consumer, TopicPartition(topic, partition), SETTLE_S)
        if low == end and inputs:
            places = [TopicPartition(name, partition) for name in inputs]
            for place in consumer.committed(places, SETTLE_S):
                if place.offset > 0:
                    raise StoreBroken(
                        f"{topic}-{partition} holds nothing, though {place.topic} was read up to {place.offset}: "
                        f"it was emptied or made anew. {_WAY_OUT}"
                    )
    finally:
        consumer.close()
    if not low:
        return ""
    return (
        f"{topic}-{partition} has lost its first {low} records, and what only they held: see that its cleanup.policy "
        f"is compact alone. {_WAY_OUT}"
    )


def check_inputs(brokers: str, partition: int, applied: Mapping[str, int]) -> None:
    """Raise `MadeAnew` for an input topic that ends before what the state has `applied` of it. Blocks."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "footfall-restore", "enable.auto.commit": False})
    try:
        for topic, newest in applied.items():
            _, end = bounds(consumer, TopicPartition(topic, partition), SETTLE_S)
            check_input(topic, partition, end, newest + 1)
    finally:
        consumer.close()


def check_input(topic: str, partition: int, end: int, read: int) -> None:
    """Raise `MadeAnew` where an input ends before what was `read` of it."""
    if end < read:
        raise MadeAnew(
            f"{topic}-{partition} ends at {end} and was read up to {read}: it was deleted and made anew, or its broker "
            "has lost records. What is held names events by their offsets and would take new ones for old: begin "
            "afresh with another FOOTFALL_TOPIC_PREFIX, or delete all of Footfall's topics and groups"
        )
