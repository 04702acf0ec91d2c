"""Telling Footfall what was done with a decision, and what came of it."""

import time
from collections.abc import Iterable

from schemas.outputs import Alert, Outcome, encode
from schemas.topics import OUTCOMES
from stream.kafka.producer import Producer
from stream.settings import Settings


class Teller:
    """Writes `outcomes`; `flush` returns once Kafka has them."""

    def __init__(self, settings: Settings) -> None:
        self._producer = Producer(settings.kafka_brokers, client="footfall-alerts", prefix=settings.topic_prefix)
        self._producer.connect((OUTCOMES.name,))

    def of(self, alerts: Iterable[Alert], what: str) -> None:
        """The same outcome for each of these alerts."""
        for alert in alerts:
            self.tell(alert.customer, what, alert.decision_id, alert.channel)

    def tell(self, customer: str, what: str, decision_id: str = "", channel: str = "") -> None:
        """One outcome, as of now."""
        at = int(time.time() * 1000)
        outcome = Outcome(decision_id=decision_id, customer=customer, at=at, what=what, channel=channel)
        self._producer.send(OUTCOMES.name, customer.encode(), encode(outcome))

    def flush(self) -> None:
        """Wait until Kafka has all of them."""
        self._producer.flush()
