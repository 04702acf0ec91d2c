"""Bins: quantile edges, ties, and what is missing."""

import msgspec
import pytest

from inference.bins import Bins, learn


def test_edges_hold_equally_many_values_each() -> None:
    bins = learn({"overdue": [float(i) for i in range(160)]}, buckets=16)
    tokens = [bins.token("overdue", float(i)) for i in range(160)]
    assert {tokens.count(token) for token in set(tokens)} == {10}


def test_repeated_values_share_a_bucket_and_make_no_empty_one() -> None:
    bins = learn({"orders_7d": [0.0] * 90 + [1.0] * 8 + [2.0] * 2}, buckets=16)
    assert bins.edges["orders_7d"] == [1.0]
    assert bins.token("orders_7d", 0.0) == "[orders_7d=0]"
    assert bins.token("orders_7d", 1.0) == bins.token("orders_7d", 2.0) == "[orders_7d=1]"


@pytest.mark.parametrize("values", [[], [None, None], [5.0] * 10, [float("nan")]])
def test_a_feature_that_never_varied_has_no_edges(values: list[float | None]) -> None:
    assert learn({"hour": values}).edges == {"hour": []}


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_has_a_bucket_of_its_own(value: float | None) -> None:
    assert Bins({"hour": [1.0]}).token("hour", value) == "[hour=none]"


def test_every_token_is_in_the_vocabulary() -> None:
    bins = Bins({"hour": [1.0, 2.0], "overdue": []})
    assert bins.vocabulary() == ["[hour=none]", "[hour=0]", "[hour=1]", "[hour=2]", "[overdue=none]", "[overdue=0]"]


def test_a_value_on_an_edge_belongs_above_it() -> None:
    assert Bins({"hour": [1.0, 2.0]}).token("hour", 2.0) == "[hour=2]"


def test_survives_json() -> None:
    bins = learn({"hour": [0.1, 0.2, 0.7]})
    assert msgspec.json.decode(msgspec.json.encode(bins), type=Bins) == bins
