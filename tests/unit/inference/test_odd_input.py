"""Whatever a storefront or a customer sends, a story is text, bounded, and has a bucket for every number."""

import math

import pytest

from inference.bins import Bins, learn, value_of
from inference.story import MAX_REVIEW, render, review, with_numbers, without_numbers
from inference.tokenizer import Tokenizer
from schemas.behaviours import Behaviour
from schemas.outputs import Moment, Snapshot

BINS = Bins({"overdue": [0.5, 1.0], "orders_total/tenure_days": [0.1]})

ODD = {
    "empty": "",
    "long": "x" * 100_000,
    "long words": "milk " * 20_000,
    "control characters": "\x00\x07\x1b[31mred\x7f\u200b\u2028",
    "emoji": "😀👩‍👩‍👧‍👦🇩🇪" * 20,
    "right to left": "שלום مرحبا \u202eevil\u202c",
    "mixed": "质量很好 very good 物流慢",
    "lone surrogate": "\ud800 broken",
    "feature words": "[overdue=2] [CLS] [SEP] [MASK] [PAD]",
}


def snapshot(words: str, features: dict[str, float | None]) -> Snapshot:
    story = [Moment(0, Behaviour.REVIEW, item=words, words=words), Moment(1, Behaviour.SEARCH, words=words)]
    return Snapshot(
        id="1", customer="ann", at=2, trigger="", arrived=2, features=features, story=story if words else []
    )


@pytest.mark.parametrize("words", ODD.values(), ids=ODD.keys())
def test_any_words_make_a_bounded_story(plain: Tokenizer, words: str) -> None:
    tokenizer = plain.extended(BINS.vocabulary())
    text = render(snapshot(words, {"overdue": 0.7}), BINS)
    assert len(text) < 10_000
    assert text.encode("utf-8").decode("utf-8") == text
    (ids,) = tokenizer.encode([text])
    assert 2 <= len(ids) <= tokenizer.limit
    # Only what the numbers say reads as a feature word, and nothing that is typed as a special one.
    first = tokenizer.id("[overdue=none]")
    assert first is not None
    assert sum(i >= first for i in ids) == len(BINS.edges)
    assert [i for i in ids if i in (2, 3)] == [2, 3]


@pytest.mark.parametrize("words", ODD.values(), ids=ODD.keys())
def test_any_review_is_bounded(plain: Tokenizer, words: str) -> None:
    text = review(words)
    assert len(text) <= MAX_REVIEW
    (ids,) = plain.encode([text])
    assert 2 <= len(ids) <= plain.limit


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, 1e308, -1e308, 0.0, -0.0])
def test_any_number_has_a_bucket(value: float | None) -> None:
    words = with_numbers("", {"overdue": value, "orders_total": value, "tenure_days": value}, BINS).split()
    assert len(words) == len(BINS.edges)
    assert set(words) <= set(BINS.vocabulary())


def test_a_ratio_over_nothing_is_missing() -> None:
    assert value_of({"orders_total": 3.0, "tenure_days": 0.0}, "orders_total/tenure_days") is None
    assert value_of({"orders_total": None, "tenure_days": 2.0}, "orders_total/tenure_days") is None
    assert value_of({}, "orders_total/tenure_days") is None


def test_edges_are_learned_from_what_is_finite() -> None:
    assert learn({"overdue": [math.nan, math.inf, None, 1.0, 2.0, 3.0, 4.0]}, buckets=4).edges["overdue"] == [
        2.0,
        3.0,
        4.0,
    ]


def test_a_story_without_its_numbers() -> None:
    told = snapshot("milk", {"overdue": 0.7})
    assert render(told, BINS).startswith("[overdue=1] [orders_total/tenure_days=none] ")
    assert without_numbers(render(told, BINS)) == render(told, Bins({}))
