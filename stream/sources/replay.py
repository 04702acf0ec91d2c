"""Send a source's events to Kafka at a pace, and know which of them have arrived."""

from collections.abc import Callable, Iterator

from confluent_kafka import KafkaError

from stream.kafka.producer import DeliveryFailed, Producer
from stream.sources.event import SourceEvent
from stream.sources.pace import Pace
from stream.sources.position import Acknowledged

POLL_S = 0.1


class Replay:
    """`sent` counts what was handed to Kafka in this run, `position` is what the source's saved position may be."""

    def __init__(self, producer: Producer, pace: Pace, start: int = 0) -> None:
        self._producer = producer
        self._pace = pace
        self._acknowledged = Acknowledged(start)
        self._number = start
        self._failed: KafkaError | None = None
        self.sent = 0

    @property
    def position(self) -> int:
        """The number of the first event not known to be in Kafka."""
        return self._acknowledged.position

    def run(self, events: Iterator[SourceEvent], tick: Callable[[], None], stop: Callable[[], bool]) -> None:
        """Send all events, or until `stop` says so, and wait until they are acknowledged; `tick` is called often.

        Raises `DeliveryFailed`.
        """
        for event in events:
            while (left := self._pace.wait(event.at)) > 0 and not stop():
                self._producer.poll(min(left, POLL_S))
                tick()
            if stop():
                break
            self._producer.send(event.topic, event.key, event.value, self._done(self._number))
            self._number += 1
            self.sent += 1
            self._raise_failure()
            tick()
        self._finish(tick)

    def _finish(self, tick: Callable[[], None], timeout: float = 120.0) -> None:
        """Wait for what is in flight."""
        waited = 0.0
        while len(self._producer) and waited < timeout:
            self._producer.poll(POLL_S)
            waited += POLL_S
            tick()
        self._producer.flush(1.0)
        self._raise_failure()

    def _done(self, number: int) -> Callable[[KafkaError | None], None]:
        def done(error: KafkaError | None) -> None:
            if error is None:
                self._acknowledged.add(number)
            elif self._failed is None:
                self._failed = error

        return done

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise DeliveryFailed(f"Kafka did not take event {self.position}: {self._failed.str()}")
