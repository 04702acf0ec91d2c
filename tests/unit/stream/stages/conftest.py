"""Runs as the transport hands them over, and an output that remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from faust.types import TP

from stream.kafka.producer import Headers
from stream.kafka.transport import Run
from stream.stages.score import ScorePartition
from tests.unit.stream.stages.scoring import Bert, partition_of


@dataclass
class Record:
    """A record as aiokafka gives it."""

    value: bytes | None
    offset: int = 0
    key: bytes | None = None
    timestamp: int = 1_700_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Sent:
    """One output."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    headers: dict[str, bytes]


@dataclass
class Outputs:
    """Collects what a partition sends."""

    sent: list[Sent] = field(default_factory=list)

    def __call__(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.sent.append(Sent(topic, key, value, partition, dict(headers or ())))

    def on(self, topic: str) -> list[Sent]:
        return [one for one in self.sent if one.topic == topic]


@pytest.fixture
def out() -> Outputs:
    return Outputs()


@pytest.fixture
def run() -> Callable[..., Run]:
    def make(*values: bytes | None, topic: str = "clickstream", first: int = 0, **more: Any) -> Run:
        return Run(TP(topic, 0), [Record(value, first + i, **more) for i, value in enumerate(values)])

    return make


@pytest.fixture
def bert() -> Bert:
    return Bert()


@pytest.fixture
def partition(bert: Bert) -> ScorePartition:
    """A partition that asks for no reasons."""
    return partition_of(bert, score_explain_s=0)
