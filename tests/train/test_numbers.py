"""The numbers' path: buckets that begin in order, and words that nobody had in training."""

import torch

from inference.bins import Bins
from inference.train.numbers import Numbers, rows_of

BINS = Bins({"overdue": [0.5, 1.0], "orders_30d": [1.0, 2.0, 4.0]})
KNOWN = 100


def made() -> Numbers:
    numbers: Numbers = Numbers(BINS, 2, 16, torch.Generator().manual_seed(1)).eval()
    return numbers


def rows(*words: str) -> torch.Tensor:
    """A text of these feature words after two ordinary ones."""
    vocabulary = BINS.vocabulary()
    return rows_of(torch.tensor([[5, 99, *(KNOWN + vocabulary.index(word) for word in words)]]), KNOWN)


def test_ordinary_words_are_nothing_and_the_order_does_not_matter() -> None:
    numbers = made()
    answers, soft = numbers(rows("[overdue=1]", "[orders_30d=3]"))
    again, _ = numbers(rows("[orders_30d=3]", "[overdue=1]"))
    assert torch.allclose(answers, again, atol=1e-5)
    assert answers.shape[1:] == (1, 2)
    assert soft.shape == (1, 2, 16)
    assert (numbers.table()[0] == 0).all()


def test_neighbours_begin_nearer_than_others() -> None:
    table = made().table()
    low, middle, high = (table[rows(f"[orders_30d={n}]")[0, -1]] for n in (0, 1, 3))
    assert (low - middle).norm() < (low - high).norm()


def test_a_word_never_seen_says_what_its_feature_says_on_average() -> None:
    numbers = made()
    seen = torch.cat([rows("[overdue=0]", "[orders_30d=0]"), rows("[overdue=2]", "[orders_30d=0]")])
    before = numbers.table().detach()
    numbers.merge(seen)
    table = numbers.merged
    index = {word: int(rows(word)[0, -1]) for word in BINS.vocabulary()}
    mean = (before[index["[overdue=0]"]] + before[index["[overdue=2]"]]) / 2
    for word in ("[overdue=none]", "[overdue=1]"):
        assert torch.allclose(table[index[word]], mean, atol=1e-6)
    for word in ("[overdue=0]", "[overdue=2]", "[orders_30d=0]"):
        assert torch.equal(table[index[word]], before[index[word]])
    assert torch.allclose(table[index["[orders_30d=none]"]], before[index["[orders_30d=0]"]])
    assert (table[0] == 0).all()
