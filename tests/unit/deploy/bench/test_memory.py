"""Profiles as they are after a year, and what they weigh."""

from itertools import islice
from random import Random

from deploy.bench.aged import HEAVY, Maker, lives
from deploy.bench.memory import measure, spread_of
from stream.features.codec import decode_profile, read_header


def test_a_heavy_customer_has_hundreds_of_events_and_nothing_that_is_overdue() -> None:
    maker = Maker(now := 1_735_689_600_000)
    aged = maker.profile(3, HEAVY)
    assert 300 < aged.profile.events < 1_000
    assert aged.due > now - 3_600_000
    assert decode_profile(aged.encoded()) == aged.profile
    assert read_header(aged.encoded()).due == aged.due


def test_half_of_all_customers_came_once_or_twice() -> None:
    counts = sorted(life.visits for life in islice(lives(Random(1)), 1_000))
    assert counts[500] <= 2
    assert counts[990] > 20


def test_what_is_weighed() -> None:
    made: list[int] = []
    found = measure(30, made.append)
    assert sum(made) == 50
    assert found["memory_bytes"]["restored"] < found["memory_bytes"]["touched"]
    assert found["topic_bytes"]["p50"] <= found["topic_bytes"]["p99"] <= found["heavy_topic_bytes_max"]
    assert spread_of([1, 2, 3, 10]) == {"mean": 4, "p50": 3, "p99": 10}
