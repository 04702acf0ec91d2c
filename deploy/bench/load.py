"""Open-loop load: events sent at times fixed beforehand, whatever the pipeline does with them."""

import asyncio
import datetime
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

import orjson

from deploy.bench.events import events
from deploy.simulate.session import SimEvent
from stream.kafka.producer import Producer
from stream.settings import Settings

LINGER_MS = 2


class Load:
    """Sends `rate` events a second from `start` to `stop`, or until there are none left where it shall not `repeat`.

    An event's timestamp is the time that it was to be sent at, not the time that it was: who is late is late.
    """

    def __init__(self, settings: Settings, source: Sequence[SimEvent], rate: float, *, repeat: bool = False) -> None:
        self.sent = 0
        self.began = 0.0
        self._source = [(event.topic, event.key, orjson.loads(event.value)) for event in source]
        self._rate = rate
        self._repeat = repeat
        self._halt = threading.Event()
        self._producer = Producer(
            settings.kafka_brokers, client="footfall-bench-load", prefix=settings.topic_prefix, linger_ms=LINGER_MS
        )
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin; `began` is the wall clock's second 0."""
        self.began = time.time()
        self._thread.start()

    def stop(self) -> None:
        """No more; what was sent is in Kafka."""
        self._halt.set()
        self._thread.join()
        self._producer.flush()

    @property
    def done(self) -> bool:
        """Whether all has been sent."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        began = time.monotonic()
        for number in count():
            if number >= len(self._source) and not self._repeat:
                return
            due = number / self._rate
            while (left := began + due - time.monotonic()) > 0:
                if self._halt.is_set():
                    return
                self._producer.poll(min(left, 0.05))
            if self._halt.is_set():
                return
            topic, key, event = self._source[number % len(self._source)]
            self._producer.send(topic, key, stamped(event, self.began + due, number))
            self.sent = number + 1


def stamped(event: dict[str, object], at: float, number: int) -> bytes:
    """The event as of `at` (seconds of the epoch), with an id of its own.

    >>> stamped({"event": "x", "messageId": "m"}, 1735725600.5, 7)
    b'{"event":"x","messageId":"m-7","timestamp":"2025-01-01T10:00:00.500+00:00"}'
    """
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds")
    return orjson.dumps(event | {"messageId": f"{event['messageId']}-{number}", "timestamp": moment})


@asynccontextmanager
async def load(settings: Settings, rate: float, distinct: int = 5_000) -> AsyncIterator[Load]:
    """A load without end while the block runs."""
    source = await asyncio.to_thread(list, events(distinct, distinct // 5))
    running = Load(settings, source, rate, repeat=True)
    running.start()
    try:
        yield running
    finally:
        await asyncio.to_thread(running.stop)
