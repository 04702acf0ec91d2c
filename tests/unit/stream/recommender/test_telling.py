"""Lists answered over HTTP on their way to Kafka: nobody waits for it, and what is lost is counted."""

import pytest
from confluent_kafka import KafkaError

from schemas.behaviours import Behaviour
from schemas.outputs import Interaction
from stream.kafka.producer import DeliveryFailed, Done
from stream.recommender.metrics import Metrics
from stream.recommender.telling import Telling

TOLD = Interaction(customer="ann", session=0, item="", behaviour=Behaviour.OTHER, at=1)


class Producer:
    """Takes records or does not; reports on each what it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None, bool]] = []
        self.full = self.broken = False
        self.error: KafkaError | None = None

    def offer(self, topic: str, key: bytes | None, value: bytes | None, done: Done) -> bool:
        if self.broken:
            raise DeliveryFailed("too large")
        if not self.full:
            self.sent.append((topic, key, value is not None))
            done(self.error)
        return not self.full

    def poll(self) -> None:
        """Reports are given at once."""


@pytest.mark.parametrize(
    ("trouble", "lost"), [({}, 0), ({"full": True}, 1), ({"broken": True}, 1), ({"error": KafkaError(1)}, 1)]
)
def test_what_kafka_does_not_take_is_counted(trouble: dict[str, object], lost: int) -> None:
    producer, metrics = Producer(), Metrics()
    vars(producer).update(trouble)
    Telling(producer, metrics.untold.inc)(TOLD)  # type: ignore[arg-type]
    assert metrics.registry.get_sample_value("footfall_recommender_untold_total") == lost
    assert producer.sent == (
        [("interactions", b"ann", True)] if "full" not in trouble and "broken" not in trouble else []
    )
