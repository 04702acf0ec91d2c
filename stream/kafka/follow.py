"""Following a whole topic from its beginning, outside any consumer group: what every worker must know."""

import asyncio
import logging
import time
from collections.abc import Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

log = logging.getLogger("footfall.follow")
_BATCH = 1_000
_WAIT_S = 0.2
_SLICE_S = 0.002
_CONNECT_S = 30.0


class Follower:
    """Passes every record of a topic to `accept`, in the event loop's thread; `caught_up` once the end was reached."""

    def __init__(self, brokers: str, topic: str, accept: Callable[[Message], None]) -> None:
        self._brokers = brokers
        self._topic = topic
        self._accept = accept
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled. Raises `KafkaException` for what does not pass by itself."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._brokers,
                "group.id": "footfall-follow",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.message.max.bytes": 8 * 1024 * 1024,
                "queued.max.messages.kbytes": 32 * 1024,
                "logger": log,
            }
        )
        try:
            waiting = await asyncio.to_thread(self._assign, consumer)
            while True:
                began = time.monotonic()
                for message in await asyncio.to_thread(consumer.consume, _BATCH, _WAIT_S):
                    if time.monotonic() - began > _SLICE_S:
                        # Whoever else lives in this event loop must not wait for the whole batch.
                        await asyncio.sleep(0)
                        began = time.monotonic()
                    error = message.error()
                    if error is None:
                        self._accept(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        waiting.discard(message.partition())
                    elif error.fatal() or not error.retriable():
                        raise KafkaException(error)
                if not waiting:
                    self.caught_up.set()
        finally:
            consumer.close()

    def _assign(self, consumer: Consumer) -> set[int]:
        found = consumer.list_topics(self._topic, timeout=_CONNECT_S).topics[self._topic]
        if found.error is not None:
            raise KafkaException(found.error)
        numbers = set(found.partitions)
        consumer.assign([TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in numbers])
        return numbers
