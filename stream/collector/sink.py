"""Records to Kafka, awaited: one thread serves the delivery reports of every request."""

import asyncio
import threading
from typing import Protocol

from confluent_kafka import KafkaError

from schemas.errors import FootfallError, OperatorError
from stream.kafka.producer import DeliveryFailed, Producer
from stream.sources.event import SourceEvent

POLL_S = 0.05


class Behind(FootfallError):
    """Too many records wait for Kafka already."""


class Unreachable(FootfallError):
    """Kafka has not acknowledged the records in time."""


class Sink(Protocol):
    """Where the collector puts its records."""

    async def deliver(self, records: list[SourceEvent]) -> None:
        """Return once all are stored. Raises `Behind` or `Unreachable`; some may be stored then."""
        ...

    async def ready(self) -> str:
        """Empty when records can be taken, else why not."""
        ...


class _Delivery:
    """What one request waits for. `done` runs in the polling thread, the rest in the event loop's."""

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = count
        self._error: KafkaError | None = None
        self.future: asyncio.Future[None] = self._loop.create_future()

    def done(self, error: KafkaError | None) -> None:
        self._left -= 1
        self._error = self._error or error
        if self._left == 0:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if self.future.done():
            return
        if self._error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(Unreachable(f"Kafka did not take it: {self._error.str()}"))


class KafkaSink:
    """At most `limit` records wait; a request waits at most `deadline_s` for its own."""

    def __init__(self, producer: Producer, limit: int, deadline_s: float, topics: tuple[str, ...]) -> None:
        self._producer = producer
        self._limit = limit
        self._deadline_s = deadline_s
        self._topics = topics
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-delivery", daemon=True)

    def start(self) -> None:
        """Begin to serve delivery reports."""
        self._thread.start()

    async def deliver(self, records: list[SourceEvent]) -> None:
        """Produce all and wait until the last is acknowledged."""
        if not records:
            return
        if len(self._producer) + len(records) > self._limit:
            raise Behind(f"Kafka is behind: {len(self._producer)} records wait for it")
        delivery = _Delivery(len(records))
        for record in records:
            try:
                queued = self._producer.offer(record.topic, record.key, record.value, delivery.done)
            except DeliveryFailed as error:
                raise Unreachable(str(error)) from error
            if not queued:
                raise Behind("Kafka is behind: the queue is full")
        try:
            await asyncio.wait_for(delivery.future, self._deadline_s)
        except TimeoutError:
            raise Unreachable(f"Kafka has not acknowledged it within {self._deadline_s:g} s") from None

    async def ready(self) -> str:
        """Whether the brokers answer and have the topics."""
        try:
            await asyncio.to_thread(self._producer.connect, self._topics, 2.0)
        except OperatorError as error:
            return str(error)
        return ""

    async def stop(self) -> None:
        """Let what is queued arrive, for at most the deadline, and end the thread."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._deadline_s
        while len(self._producer) and loop.time() < end:
            await asyncio.sleep(POLL_S)
        self._stopping.set()
        await asyncio.to_thread(self._thread.join)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(POLL_S)
