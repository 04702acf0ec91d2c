"""What a running stack's topics say: where each event arrived, and which snapshots were emitted."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec
import polars as pl
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from deploy.parity.emitted import ARRIVALS
from schemas.errors import OperatorError
from schemas.hashing import message_key
from schemas.outputs import Snapshot
from schemas.topics import CLICKSTREAM, FEATURES, ORDERS
from stream.kafka.partitioner import home
from stream.settings import Settings
from stream.sources.audit import partitions

_BATCH = 5_000
_WAIT_S = 0.2
_TIMEOUT_S = 30.0


class _Envelope(msgspec.Struct):
    messageId: str | None = None
    userId: str | int | None = None
    anonymousId: str | int | None = None


def arrivals(settings: Settings, customers: str, seen: Callable[[int], None]) -> pl.DataFrame:
    """Where the events of customers whose id begins with `customers` arrived in the partition that they live in.

    Raises `OperatorError` when a topic has lost its beginning: what the profiles are made of is no longer all there.
    """
    decoder = msgspec.json.Decoder(_Envelope)
    found = []
    for number, topic in enumerate((CLICKSTREAM.name, ORDERS.name)):
        for message in _read(settings, topic, whole=True):
            seen(1)
            try:
                envelope = decoder.decode(message.value() or b"")
            except msgspec.DecodeError:
                continue  # A dead letter of somebody else's: every event of a source can be read.
            customer = str(envelope.userId or envelope.anonymousId or "")
            if not customer.startswith(customers) or not envelope.messageId:
                continue
            # Whatever arrived elsewhere was sent on, and stands in the home partition as well.
            if message.partition() == home(customer, settings.partitions):
                found.append((message_key(envelope.messageId), number, message.offset()))
    return pl.DataFrame(found, schema=ARRIVALS, orient="row")


def snapshots(settings: Settings, customers: str, seen: Callable[[int], None]) -> Iterator[Snapshot]:
    """The snapshots on `features` of the customers whose id begins with `customers`."""
    decoder = msgspec.json.Decoder(Snapshot)
    prefix = customers.encode()
    for message in _read(settings, FEATURES.name, whole=False):
        seen(1)
        value = message.value()
        if value is not None and (message.key() or b"").startswith(prefix):
            yield decoder.decode(value)


def _read(settings: Settings, topic: str, *, whole: bool) -> Iterator[Message]:
    """Every record of a topic up to its end as it is now."""
    name = settings.topic(topic)
    with closing(
        Consumer(
            {
                "bootstrap.servers": settings.kafka_brokers,
                "group.id": "footfall-parity",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.message.max.bytes": 8 * 1024 * 1024,
                "log_level": 0,
            }
        )
    ) as consumer:
        try:
            waiting = set(_sources(consumer, name, whole=whole))
            consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in waiting])
            heard = time.monotonic()
            while waiting:
                messages = consumer.consume(_BATCH, _WAIT_S)
                if messages:
                    heard = time.monotonic()
                elif time.monotonic() - heard > _TIMEOUT_S:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no more of {name}"))
                for message in messages:
                    error = message.error()
                    if error is None:
                        yield message
                    elif error.code() == KafkaError._PARTITION_EOF:
                        waiting.discard(message.partition())
                    elif error.fatal() or not error.retriable():
                        raise KafkaException(error)
        except KafkaException as error:
            raise OperatorError(f"Kafka at {settings.kafka_brokers} does not answer ({error})") from error


def _sources(consumer: Consumer, name: str, *, whole: bool) -> list[int]:
    found = partitions(consumer, name)
    for number in found:
        low, _ = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=_TIMEOUT_S)
        if whole and low:
            raise OperatorError(
                f"{name} has forgotten its first {low:,} records: snapshots can only be checked while all are kept"
            )
    return found
