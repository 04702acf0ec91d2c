"""The event set on its topics, and what must come of it: so many profiles, so many events counted once."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from deploy.simulate.session import SimEvent
from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.topics import CLICKSTREAM, ORDERS
from stream.features.align import SETTLED_S
from stream.kafka.admin import create_topics
from stream.kafka.producer import Producer
from stream.settings import Settings

# As a worker finds them that catches up. At the end of a log written a moment ago ours waits a second for the other
# topic, in whichever rounds happen to come that soon: that is a delay, and no part of what an event costs.
AGE_MS = int(2 * SETTLED_S * 1000)


@dataclass
class Filled:
    """What was sent: `total` records; `distinct` of them count, of `customers`."""

    total: int = 0
    size: int = 0
    behaviours: Counter[str] = field(default_factory=Counter)
    _customers: set[str] = field(default_factory=set)
    _seen: set[tuple[bool, int]] = field(default_factory=set)

    def add(self, value: bytes, currency: str) -> None:
        """One record more. A message counts once, and so does an order, whoever reports it."""
        event = decode(value, currency)
        ordered = event.behaviour == Behaviour.ORDER
        self.total += 1
        self.size += len(value)
        self.behaviours[event.behaviour.name.lower()] += 1
        self._customers.add(event.customer)
        self._seen.add((ordered, event.order if ordered else event.message))

    @property
    def customers(self) -> int:
        """How many profiles there must be."""
        return len(self._customers)

    @property
    def distinct(self) -> int:
        """How many events the profiles must hold."""
        return len(self._seen)

    def told(self) -> dict[str, Any]:
        """The mix, for the result."""
        return {
            "events": self.total,
            "distinct": self.distinct,
            "customers": self.customers,
            "mean_bytes": round(self.size / max(1, self.total)),
            "behaviours": dict(self.behaviours.most_common()),
        }


def fill(settings: Settings, prefix: str, events: Iterable[SimEvent], sent: Callable[[int], None]) -> Filled:
    """Send events to their topics behind `prefix`, and wait until Kafka has all; `sent` is told of every one.

    They bear a time of `AGE_MS` ago, whenever they are read: for that the topics, which this makes, keep the
    producer's times.
    """
    own = settings.model_copy(update={"topic_prefix": prefix})
    create_topics(own, topics=[replace(topic, arrival=False) for topic in (CLICKSTREAM, ORDERS)])
    filled = Filled()
    arrived = int(time.time() * 1000) - AGE_MS
    producer = Producer(settings.kafka_brokers, client="footfall-bench", prefix=prefix)
    for event in events:
        producer.send(event.topic, event.key, event.value, timestamp=arrived)
        filled.add(event.value, settings.currency)
        sent(1)
    producer.flush()
    return filled
