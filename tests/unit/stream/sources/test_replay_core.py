"""Replaying with a producer that acknowledges in an order of its own."""

from typing import Any, cast

import pytest

from stream.kafka.producer import DeliveryFailed, Done, Producer
from stream.sources.event import SourceEvent
from stream.sources.pace import Pace
from stream.sources.replay import Replay

EVENTS = [SourceEvent("orders", b"k", str(n).encode(), 1000 * n) for n in range(10)]


class Kafka:
    """Keeps what is sent; `answer` acknowledges by number."""

    def __init__(self, auto: bool = True) -> None:
        self.sent: list[bytes] = []
        self.done: dict[int, Done] = {}
        self.now = 0.0
        self._auto = auto

    def __len__(self) -> int:
        return len(self.done)

    def send(self, _topic: str, _key: bytes, value: bytes, done: Done) -> None:
        self.done[len(self.sent)] = done
        self.sent.append(value)

    def answer(self, number: int, error: object = None) -> None:
        self.done.pop(number)(cast(Any, error))

    def poll(self, timeout: float) -> None:
        self.now += timeout
        if self._auto:
            for number in list(self.done):
                self.answer(number)

    def flush(self, _timeout: float) -> None:
        pass


class Refusal:
    """What Kafka's error looks like."""

    def str(self) -> str:
        return "too much"


def test_everything_is_sent_at_its_time_and_counted_once_acknowledged() -> None:
    kafka = Kafka()
    job = Replay(cast(Producer, kafka), Pace(2.0, lambda: kafka.now), start=5)
    times = []
    job.run(iter(EVENTS), lambda: times.append(kafka.now), lambda: False)
    assert kafka.sent == [event.value for event in EVENTS]
    assert kafka.now == pytest.approx(4.5, abs=0.3)
    assert (job.sent, job.position) == (10, 15)
    assert len(times) > 10


def test_stopping_sends_no_more_and_waits_for_what_is_on_its_way() -> None:
    kafka = Kafka()
    job = Replay(cast(Producer, kafka), Pace(None, lambda: 0.0))
    job.run(iter(EVENTS), lambda: None, lambda: len(kafka.sent) >= 4)
    assert len(kafka.sent) == 4
    assert job.position == 4


def test_a_refused_event_ends_the_replay_and_the_position_stays_before_it() -> None:
    kafka = Kafka(auto=False)
    job = Replay(cast(Producer, kafka), Pace(None, lambda: 0.0))

    def tick() -> None:
        if len(kafka.sent) == 4:
            kafka.answer(0)
            kafka.answer(3)
            kafka.answer(1, Refusal())

    with pytest.raises(DeliveryFailed, match="event 1: too much"):
        job.run(iter(EVENTS), tick, lambda: False)
    assert job.position == 1
    assert len(kafka.sent) == 5
