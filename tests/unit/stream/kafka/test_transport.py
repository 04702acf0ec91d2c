"""The packed transport's bookkeeping: only what the stage finished is committed."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from stream.kafka.transport import HELD_S, Consumer, ConsumerThread, Read

INPUT = TP("clickstream", 0)


@pytest.fixture
def consumer() -> Consumer:
    consumer = object.__new__(Consumer)
    consumer.app = cast(Any, SimpleNamespace(in_recovery=False, conf=SimpleNamespace(broker_max_poll_records=8)))
    consumer.held, consumer._buffered_partitions = set(), set()
    consumer._done = {}
    return consumer


def message(offset: int) -> Any:
    return SimpleNamespace(tp=INPUT, offset=offset, acked=False)


def test_what_faust_acknowledges_by_itself_is_not_committed(consumer: Consumer) -> None:
    assert consumer.ack(message(7)) is False
    assert list(consumer._filter_tps_with_pending_acks()) == []


def test_what_is_finished_may_be_committed_up_to_its_last_record(consumer: Consumer) -> None:
    for offset in (7, 5):
        consumer.finish(Read(INPUT, offset))
    assert list(consumer._filter_tps_with_pending_acks()) == [INPUT]
    assert consumer._new_offset(INPUT) == 8


@pytest.mark.parametrize("answered", [True, False])
async def test_only_an_answered_heartbeat_is_heard_and_counts_from_when_it_was_sent(answered: bool) -> None:
    thread = object.__new__(ConsumerThread)
    thread.consumer = cast(Any, SimpleNamespace(heard=0.0))
    sent: list[float] = []

    async def beat() -> bool:
        sent.append(time.monotonic())
        await asyncio.sleep(0.01)
        return answered

    assert await thread._noted(beat)() is answered
    heard = thread.consumer.heard
    assert (0 < heard <= sent[0]) if answered else heard == 0.0


async def test_of_a_partition_that_is_held_nothing_is_fetched(consumer: Consumer) -> None:
    asked: list[set[TP]] = []

    async def getmany(active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        asked.append(active)
        assert timeout <= HELD_S
        return {}

    consumer._trickles = False
    consumer._thread = cast(Any, SimpleNamespace(getmany=getmany))
    other = TP("orders", 0)
    consumer.held = {INPUT}
    assert await consumer._getmany({INPUT, other}, 1.0) == {}
    # None left to ask for would be taken for all.
    assert await consumer._getmany({INPUT}, 1.0) == {}
    assert asked == [{other}]


async def test_a_partition_that_the_stream_is_full_of_is_looked_for_again_soon(consumer: Consumer) -> None:
    waited: list[float] = []

    async def getmany(active: set[TP], timeout: float) -> dict[TP, list[Any]]:
        waited.append(timeout)
        return {tp: [] for tp in active}

    consumer._trickles = False
    consumer._thread = cast(Any, SimpleNamespace(getmany=getmany))
    other = TP("orders", 0)
    consumer._active_partitions = {INPUT, other}
    await consumer._getmany({INPUT, other}, 1.0)
    consumer.on_buffer_full(INPUT)
    await consumer._getmany({other}, 1.0)
    assert waited == [1.0, HELD_S]
    consumer.on_buffer_full(other)
    # Faust's own wait would be a second, and ask nobody.
    assert await asyncio.wait_for(consumer._wait_next_records(1.0), 0.9) == ({}, set())
    consumer.on_buffer_drop(other)
    assert consumer._get_active_partitions() == {other}


async def test_what_is_fetched_at_once_is_handed_on_as_runs_of_their_size(consumer: Consumer) -> None:
    records = [SimpleNamespace(offset=offset) for offset in range(5)]

    async def getmany(active: set[TP], timeout: float) -> dict[TP, list[Any]]:  # noqa: ARG001
        return {INPUT: records, TP("orders", 0): []}

    consumer._trickles = False
    consumer._thread = cast(Any, SimpleNamespace(getmany=getmany))
    runs = (await consumer._getmany({INPUT}, 1.0))[INPUT]
    assert [(run.tp, run.records, run.offset) for run in runs] == [
        (INPUT, records[:2], 1),
        (INPUT, records[2:4], 3),
        (INPUT, records[4:], 4),
    ]
