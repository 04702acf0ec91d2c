"""Telling `interactions` of lists that were answered over HTTP, so that every index learns what came of them."""

from collections.abc import Callable

from confluent_kafka import KafkaError

from schemas.outputs import Interaction, encode
from schemas.topics import INTERACTIONS
from stream.kafka.producer import DeliveryFailed, Producer


class Telling:
    """Sends without waiting: an answer is worth more than what is learned from it. `lost` hears of each that failed."""

    def __init__(self, producer: Producer, lost: Callable[[], None]) -> None:
        self._producer = producer
        self._lost = lost

    def __call__(self, told: Interaction) -> None:
        """A list was shown."""
        try:
            if not self._producer.offer(INTERACTIONS.name, told.customer.encode(), encode(told), self._done):
                self._lost()
            self._producer.poll()
        except DeliveryFailed:
            self._lost()

    def _done(self, error: KafkaError | None) -> None:
        if error is not None:
            self._lost()
