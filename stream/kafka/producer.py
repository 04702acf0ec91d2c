"""A producer for bulk: replay, simulator and collector all send through it.

Every one of them must put a customer's events into the same partition as any other producer of the shop does, so keys
are partitioned as Java's default does (murmur2). Retries keep the order and make no duplicates (idempotence).
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as Client

from schemas.errors import FootfallError, OperatorError
from schemas.topics import MAX_RECORD_BYTES

IN_FLIGHT: Final = 20_000
CONNECT_S: Final = 10.0

Done = Callable[[KafkaError | None], None]
Headers = Sequence[tuple[str, bytes]]

# librdkafka tells of what it retries; what it gives up is raised here.
_log = logging.getLogger("footfall.kafka")
_log.addHandler(logging.NullHandler())


class DeliveryFailed(FootfallError):
    """Kafka did not take a record, in spite of retries."""


def config(brokers: str, client: str, delivery_s: float) -> dict[str, Any]:
    """librdkafka's settings for every producer of ours."""
    return {
        "bootstrap.servers": brokers,
        "client.id": client,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": 20,
        "message.max.bytes": MAX_RECORD_BYTES,
        "delivery.timeout.ms": int(delivery_s * 1000),
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 256 * 1024,
        "logger": _log,
    }


class Producer:
    """Sends records with at most `in_flight` unacknowledged; a failed delivery raises at the next call.

    A `done` given to `send` is called once with None or Kafka's error, in the thread that polls; a record that has one
    reports its failure there and nowhere else.
    """

    def __init__(
        self,
        brokers: str,
        *,
        client: str = "footfall",
        prefix: str = "",
        in_flight: int = IN_FLIGHT,
        delivery_s: float = 120.0,
        linger_ms: int = 20,
    ) -> None:
        self._brokers = brokers
        self._prefix = prefix
        self._limit = in_flight
        self._failed: KafkaError | None = None
        self._client = Client(config(brokers, client, delivery_s) | {"linger.ms": linger_ms})

    def __len__(self) -> int:
        """Records not yet acknowledged."""
        return len(self._client)

    def connect(self, topics: tuple[str, ...] = (), timeout: float = CONNECT_S) -> str:
        """The cluster's id; raises `OperatorError` when no broker answers or a topic is missing."""
        try:
            metadata = self._client.list_topics(timeout=timeout)
        except KafkaException as error:
            raise OperatorError(
                f"no Kafka broker answers at {self._brokers}; start the stack with `footfall up`, or set "
                "FOOTFALL_KAFKA_BROKERS"
            ) from error
        missing = [self._prefix + name for name in topics if self._prefix + name not in metadata.topics]
        if missing:
            raise OperatorError(
                f"Kafka at {self._brokers} has no topic {', '.join(missing)}; "
                "create them with `footfall topics --create`"
            )
        return str(metadata.cluster_id)

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        done: Done | None = None,
        *,
        headers: Headers | None = None,
        partition: int = -1,
        timestamp: int = 0,
    ) -> None:
        """Queue a record; waits while too many are unacknowledged.

        Partition -1 lets the key decide; `timestamp` is when the record is said to be made (epoch ms), 0 for now.
        """
        while len(self._client) >= self._limit:
            self._client.poll(0.1)
            self._raise_failure()
        while not self.offer(topic, key, value, done, headers=headers, partition=partition, timestamp=timestamp):
            self._client.poll(0.1)
        self._client.poll(0)
        self._raise_failure()

    def offer(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        done: Done | None = None,
        *,
        headers: Headers | None = None,
        partition: int = -1,
        timestamp: int = 0,
    ) -> bool:
        """Queue a record without waiting; False when the queue is full."""

        def report(error: KafkaError | None, _message: Message) -> None:
            if done is not None:
                done(error)
            elif error is not None and self._failed is None:
                self._failed = error

        try:
            listed = list(headers) if headers else None
            self._client.produce(
                self._prefix + topic, value, key, partition, on_delivery=report, timestamp=timestamp, headers=listed
            )
        except BufferError:
            return False
        except KafkaException as error:
            raise DeliveryFailed(f"Kafka does not take the record: {error.args[0].str()}") from error
        return True

    def poll(self, timeout: float = 0.0) -> None:
        """Serve delivery reports for at most `timeout` seconds."""
        self._client.poll(timeout)
        self._raise_failure()

    def flush(self, timeout: float = 120.0) -> None:
        """Wait until every record is acknowledged; raises `DeliveryFailed` when that takes longer than `timeout`."""
        deadline = time.monotonic() + timeout
        while len(self._client):
            left = deadline - time.monotonic()
            if left <= 0:
                raise DeliveryFailed(f"{len(self)} records were not acknowledged within {timeout:.0f} s")
            self._client.flush(min(left, 0.5))
            self._raise_failure()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failed is not None:
            error, self._failed = self._failed, None
            raise DeliveryFailed(f"Kafka did not take a record: {error.str()}")
