"""The grams' path: what pairs of neighbours say that words do not, and nothing about what is no review."""

import random

import numpy as np
import pytest
import torch

from inference.measures.ranking import Ranking
from inference.train.batches import Encoded, pad
from inference.train.grams import FEWEST, Grams, fit_grams, readable

HEADS = ("churn", "intent", "sentiment")
OPENS, CLOSES, NOT, GOOD, FEATURE = 2, 3, 7, 8, 1_000


def reviews(many: int) -> Encoded:
    """All have the same two words; which comes first decides. What else they say means nothing."""
    chance = random.Random(3)
    good = [chance.random() < 0.5 for _ in range(many)]
    noise = [[chance.randrange(20, 60) for _ in range(chance.randrange(8))] for _ in range(many)]
    ids = [[OPENS, *((GOOD, NOT) if g else (NOT, GOOD)), *more, CLOSES] for g, more in zip(good, noise, strict=True)]
    labels = np.full((many, len(HEADS)), np.nan, np.float32)
    labels[:, 2] = good
    return Encoded(ids, labels)


def told(grams: Grams, texts: Encoded) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    ids, mask = pad(texts.ids)
    found: np.ndarray[tuple[int, int], np.dtype[np.float32]] = grams(ids, mask * (ids < FEATURE)).numpy()
    return found


def test_what_only_the_order_of_words_tells_is_learned() -> None:
    grams = fit_grams(reviews(800), HEADS)
    assert grams is not None
    others = reviews(300)
    answers = told(grams, others)
    assert Ranking(answers[:, 2].astype(float), others.labels[:, 2].astype(float)).roc_auc() > 0.99
    assert (answers[:, :2] == 0).all()


def test_neither_padding_nor_feature_words_are_read() -> None:
    grams = fit_grams(reviews(800), HEADS)
    assert grams is not None
    text = [OPENS, GOOD, NOT, CLOSES]
    labels = np.zeros((2, len(HEADS)), np.float32)
    alone = told(grams, Encoded([text, text], labels))
    padded = told(grams, Encoded([text, [OPENS, *range(20, 40), CLOSES]], labels))
    assert alone[0, 2] == pytest.approx(padded[0, 2], abs=1e-5)
    assert (told(grams, Encoded([[FEATURE, FEATURE + 1], [FEATURE]], labels)) == 0).all()


def test_a_text_of_nothing_is_answered() -> None:
    grams = Grams(3, 2)
    assert torch.isfinite(grams(torch.zeros(1, 0, dtype=torch.int64), torch.zeros(1, 0, dtype=torch.int64))).all()


def test_too_few_reviews_teach_nothing() -> None:
    few = reviews(FEWEST - 1)
    assert fit_grams(few, HEADS) is None
    assert (readable(few, HEADS), readable(few, ("churn", "intent"))) == (FEWEST - 1, 0)
    assert fit_grams(Encoded(few.ids, few.labels[:, :2]), ("churn", "intent")) is None
