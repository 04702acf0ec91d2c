"""Drives a storefront into Kafka: 60 days of history in about a minute, then on in real time."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from deploy.simulate.broken import inject
from deploy.simulate.customer import DAY_MS
from deploy.simulate.storefront import DAYS, Storefront
from schemas.errors import Reason
from stream.kafka.producer import Producer

LEAD = 2_000  # records that may wait for Kafka's acknowledgement before the storefront waits
FAST_S = 70.0
_TICK_S = 0.1


class Clock:
    """Simulated time: `days` before `now_ms` at first, caught up with real time after `fast_s`, real time from then on.

    >>> clock = Clock(now_ms=100 * 86_400_000, days=60, fast_s=60)
    >>> clock.due(clock.start), clock.due(100 * 86_400_000 + 60_000), clock.due(100 * 86_400_000 + 61_000)
    (0.0, 60.0, 61.0)
    """

    def __init__(self, now_ms: int, days: int, fast_s: float) -> None:
        self.start = now_ms - days * DAY_MS
        self._now_ms = now_ms
        self._fast_s = fast_s

    def due(self, at: int) -> float:
        """Seconds after the beginning at which an event of time `at` (epoch ms) is sent."""
        real = (at - self._now_ms) / 1000
        if real >= self._fast_s:
            return real
        span = (self._now_ms - self.start) / 1000 + self._fast_s
        return (at - self.start) / 1000 / span * self._fast_s


class Driver:
    """Sends until stopped. `sent` counts true events, `broken` the injected ones by reason; `at` is simulated time."""

    def __init__(
        self,
        storefront: Storefront,
        producer: Producer,
        *,
        seed: int,
        days: int = DAYS,
        fast_s: float = FAST_S,
        broken: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._storefront = storefront
        self._producer = producer
        self._days = days
        self._fast_s = fast_s
        self._share = broken
        self._rng = random.Random(f"{seed}-broken")
        self._monotonic = monotonic
        self._now_ms = now_ms
        self.sent = 0
        self.broken: Counter[Reason] = Counter()
        self.at = 0
        self.live = False

    def run(self, stop: threading.Event) -> None:
        """Send events as they are due until `stop` is set, then wait for acknowledgements. Raises `DeliveryFailed`."""
        clock = Clock(self._now_ms(), self._days, self._fast_s)
        began = self._monotonic()
        events = inject(self._storefront.events(clock.start), self._share, self._rng)
        for event, reason in events:
            due = began + clock.due(event.at)
            while (left := due - self._monotonic()) > 0 and not stop.is_set():
                self._producer.poll(min(left, _TICK_S))
            if stop.is_set():
                break
            self._producer.send(event.topic, event.key, event.value)
            self.at = event.at
            self.live = self._monotonic() - began >= self._fast_s
            if reason is None:
                self.sent += 1
            else:
                self.broken[reason] += 1
        self._producer.flush()
