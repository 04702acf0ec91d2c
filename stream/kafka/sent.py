"""What a partition had sent before its worker was killed: read back, so that it is not said again in other words.

What a stage says may depend on more than its input: on the version of a model, on what an index has seen since. So
each output names its origin, the offset of the input that it comes from. A stage sends its outputs in the order of its
input, and nothing twice, so in one partition of a topic origins only grow: whatever comes from input that will be read
again stands at the end.

::

    input     ... 40  41 | 42  43  44  45        committed up to 42
    outputs   ... 40  41   42  43 |              killed: 42 and 43 were said, 44 was not
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from confluent_kafka import Consumer, Message, TopicPartition

from stream.kafka.producer import Headers
from stream.kafka.restore import SETTLE_S, bounds, messages

_ORIGIN: Final = "origin"
# So much of each topic's end is looked at in any case: what was said lately is known, also of input that is done with.
LEAST: Final = 500
# A crash leaves what was sent in seconds. Whoever sets the group far back on purpose has what is older said anew.
MOST: Final = 50_000


class Sent(NamedTuple):
    """One output: its topic, without the installation's prefix, and `origin`; `again` if that will be read again."""

    topic: str
    value: bytes | None
    origin: int
    again: bool


def origin(offset: int) -> Headers:
    """The headers of an output that comes from the input at `offset`."""
    return [(_ORIGIN, b"%d" % offset)]


def read_back(
    brokers: str, prefix: str, group: str, source: str, outputs: Sequence[str], partition: int
) -> Iterator[Sent]:
    """The ends of the outputs' partitions, oldest first, from `group`'s last commit on `source` on. Blocks."""
    committed = _committed(brokers, group, TopicPartition(prefix + source, partition))
    for topic in outputs:
        for message in _end(brokers, prefix + topic, partition, committed):
            came_from = _came_from(message)
            yield Sent(topic, message.value(), came_from, came_from >= committed)


def _committed(brokers: str, group: str, place: TopicPartition) -> int:
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "enable.auto.commit": False})
    try:
        (found,) = consumer.committed([place], SETTLE_S)
        return max(0, int(found.offset))
    finally:
        consumer.close()


def _end(brokers: str, topic: str, partition: int, committed: int) -> list[Message]:
    """The newest records, as many as it takes to reach one that comes from before `committed`."""
    size = LEAST
    while True:
        low, end = _bounds(brokers, topic, partition)
        start = max(low, end - size)
        found = list(messages(brokers, topic, partition, start=start))
        if start == low or size >= MOST or (found and _came_from(found[0]) < committed):
            return found
        size *= 4


def _bounds(brokers: str, topic: str, partition: int) -> tuple[int, int]:
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "footfall-restore", "enable.auto.commit": False})
    try:
        return bounds(consumer, TopicPartition(topic, partition), SETTLE_S)
    finally:
        consumer.close()


def _came_from(message: Message) -> int:
    """Its origin; -1 where it names none: an older version sent it, and was stopped in order."""
    found = dict(message.headers() or ()).get(_ORIGIN)
    return int(found) if isinstance(found, bytes) and found.isdigit() else -1
