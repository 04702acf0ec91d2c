"""Acknowledgements reach the request that waits for them, and only it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from stream.collector.sink import Behind, KafkaSink, Unreachable
from stream.kafka.producer import Done, Producer
from stream.sources.event import SourceEvent


class Queue:
    """A producer that acknowledges when told to, from the polling thread."""

    def __init__(self) -> None:
        self.waiting: list[Done] = []
        self.verdicts: list[object] = []
        self.room = 100

    def __len__(self) -> int:
        return len(self.waiting)

    def offer(self, _topic: str, _key: bytes, _value: bytes, done: Done) -> bool:
        if len(self.waiting) >= self.room:
            return False
        self.waiting.append(done)
        return True

    def poll(self, _timeout: float) -> None:
        while self.verdicts and self.waiting:
            self.waiting.pop(0)(cast(Any, self.verdicts.pop(0)))


class Refusal:
    """What Kafka's error looks like."""

    def str(self) -> str:
        return "Broker: too much"


Opened = tuple[Queue, Callable[[int], list[SourceEvent]], KafkaSink]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    queue = Queue()
    sink = KafkaSink(cast(Producer, queue), limit=10, deadline_s=0.5, topics=())
    sink.start()
    yield queue, lambda n: [SourceEvent("orders", b"k", b"v", 0)] * n, sink
    queue.verdicts += [None] * 100
    await sink.stop()


async def test_it_returns_only_once_all_are_acknowledged(opened: Opened) -> None:
    queue, records, sink = opened
    task = asyncio.ensure_future(sink.deliver(records(3)))
    queue.verdicts += [None, None]
    done, _ = await asyncio.wait([task], timeout=0.2)
    assert not done
    queue.verdicts.append(None)
    await task


async def test_one_failed_record_fails_its_request_and_no_other(opened: Opened) -> None:
    queue, records, sink = opened
    first, second = (asyncio.ensure_future(sink.deliver(records(2))) for _ in range(2))
    await asyncio.sleep(0)
    queue.verdicts += [None, Refusal(), None, None]
    with pytest.raises(Unreachable, match="too much"):
        await first
    await second


async def test_no_acknowledgement_within_the_deadline(opened: Opened) -> None:
    _, records, sink = opened
    with pytest.raises(Unreachable, match=r"within 0\.5 s"):
        await sink.deliver(records(1))


async def test_more_than_may_wait_is_refused_before_anything_is_queued(opened: Opened) -> None:
    queue, records, sink = opened
    with pytest.raises(Behind):
        await sink.deliver(records(11))
    assert len(queue) == 0
    queue.room = 2
    with pytest.raises(Behind):
        await sink.deliver(records(3))


async def test_an_empty_batch_needs_no_kafka(opened: Opened) -> None:
    _, _, sink = opened
    await sink.deliver([])
