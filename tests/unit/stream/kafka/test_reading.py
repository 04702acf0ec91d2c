"""How far a stage has read, and whether it catches up."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from stream.kafka.reading import Reading

CLICKS, ORDERS = TP("clickstream", 0), TP("orders", 0)


@pytest.fixture
def ends() -> dict[TP, int | None]:
    """The end of each partition, as the broker last said."""
    return {CLICKS: 100, ORDERS: 10}


@pytest.fixture
def reading(ends: dict[TP, int | None]) -> Reading:
    consumer: Any = SimpleNamespace(
        assignment=ends.keys, highwater=ends.get, committed=lambda _tp: 0, polled=lambda _: 5
    )
    return Reading(SimpleNamespace(consumer=consumer))


def test_what_is_left_of_all_partitions_against_what_was_read_since_the_barrier_tells_who_is_behind(
    reading: Reading,
) -> None:
    reading.received(CLICKS, 44, 45)
    assert reading.behind()  # 55 + 10 are left, 45 were read
    reading.received(CLICKS, 54, 10)
    assert not reading.behind()  # 45 + 10 left, 55 read: one interval more, and all is read
    reading.barrier()
    assert reading.behind()
    reading.received(CLICKS, 99, 45)
    reading.received(ORDERS, 9, 10)
    assert not reading.behind()


def test_nobody_is_behind_on_a_partition_whose_end_is_not_known(reading: Reading, ends: dict[TP, int | None]) -> None:
    ends[CLICKS] = ends[ORDERS] = None
    assert not reading.behind()
    assert reading.lag(CLICKS) is None
    assert reading.end(CLICKS) is None
