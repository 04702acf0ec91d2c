"""The event set of the benchmarks: the same every time, in order, as large and as lopsided as it says."""

from collections import Counter

import pytest

from deploy.bench.events import events
from deploy.bench.fill import Filled
from schemas.decode import decode


@pytest.fixture(scope="module")
def values() -> list[bytes]:
    return [event.value for event in events(5_000, customers=400)]


def test_the_same_arguments_give_the_same_bytes(values: list[bytes]) -> None:
    assert values == [event.value for event in events(5_000, customers=400)]
    assert len(values) == 5_000


def test_they_come_in_order_of_time_within_the_span() -> None:
    at = [event.at for event in events(5_000, customers=400, span_s=600)]
    assert at == sorted(at)
    assert 300_000 < at[-1] - at[0] < 1_500_000


def test_everybody_comes_and_a_few_come_often(values: list[bytes]) -> None:
    counts = Counter(decode(value, "USD").customer for value in values)
    assert len(counts) > 350
    assert sum(sorted(counts.values())[-40:]) > 0.2 * len(values)


def test_a_message_and_an_order_count_once(values: list[bytes]) -> None:
    filled = Filled()
    for value in values:
        filled.add(value, "USD")
    assert filled.total == 5_000
    assert 0.97 * 5_000 < filled.distinct < 5_000
    once = filled.distinct
    for value in values:
        filled.add(value, "USD")
    assert (filled.total, filled.distinct) == (10_000, once)
