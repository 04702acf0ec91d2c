"""The columns of an answer: in the manifest's order, money out of logarithms, and nothing that is not finite."""

import math

import numpy as np
import pytest

from inference.heads import has_sentiment, parts, sentiment


def test_columns_are_found_by_the_order_of_the_heads() -> None:
    answers = np.array([[0.9, math.log1p(40.0), 0.1, 0.2]], dtype=np.float32)
    heads = ("sentiment", "value", "intent", "churn")
    (part,) = parts(heads, answers)
    assert (part.churn, part.intent, part.value) == pytest.approx((0.2, 0.1, 40.0))
    assert has_sentiment(heads)
    assert sentiment(heads, answers) == pytest.approx([0.9])


def test_two_heads_know_no_value() -> None:
    (part,) = parts(("churn", "intent"), np.array([[0.5, 0.25]], dtype=np.float32))
    assert (part.churn, part.intent, part.value) == (0.5, 0.25, None)


@pytest.mark.parametrize(("log", "least", "most"), [(-3.0, 0.0, 0.0), (1e30, 1e9, 1e12)])
def test_an_odd_logarithm_is_a_finite_amount_of_money(log: float, least: float, most: float) -> None:
    (part,) = parts(("churn", "intent", "value"), np.array([[0.5, 0.5, log]], dtype=np.float32))
    assert part.value is not None
    assert least <= part.value <= most
