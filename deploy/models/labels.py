"""The newest examples on Kafka: predictions whose outcome is known."""

from collections.abc import Iterator

import msgspec
from confluent_kafka import Consumer, TopicPartition

from schemas.errors import OperatorError
from schemas.outputs import Example
from schemas.topics import EXAMPLES
from stream.settings import Settings

# Of each partition; older ones were predicted by versions that nobody compares any more.
NEWEST = 50_000
_WAIT_S = 5.0
_decoder = msgspec.json.Decoder(Example)


def examples(settings: Settings) -> Iterator[Example]:
    """The newest examples, up to where the topic ends now. `OperatorError` where Kafka does not answer."""
    topic = settings.topic(EXAMPLES.name)
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka_brokers, "group.id": "footfall-evidence", "enable.auto.commit": False}
    )
    try:
        found = consumer.list_topics(topic, timeout=_WAIT_S).topics[topic]
        if found.error is not None:
            return
        ends = {}
        for number in found.partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_WAIT_S)
            if high > low:
                ends[number] = (max(low, high - NEWEST), high)
        consumer.assign([TopicPartition(topic, number, start) for number, (start, _) in ends.items()])
        left = {number: high for number, (_, high) in ends.items()}
        while left:
            messages = consumer.consume(1_000, timeout=_WAIT_S)
            if not messages:
                return
            for message in messages:
                if message.error() is not None:
                    continue
                if message.offset() + 1 >= left.get(message.partition(), 0):
                    left.pop(message.partition(), None)
                if message.value() is not None:
                    yield _decoder.decode(message.value())
    except Exception as error:
        raise OperatorError(f"Kafka at {settings.kafka_brokers} does not tell the labels ({error})") from error
    finally:
        consumer.close()
