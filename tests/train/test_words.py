"""Words that the pretrained BERT lacks: the common ones get embeddings that learn, its own stay as they are."""

from pathlib import Path

import torch
from torch import nn

from inference.tokenizer import Tokenizer
from inference.train.network import base_folder
from inference.train.words import Words, unknown


def test_the_commonest_unknown_characters_are_found() -> None:
    tokenizer = Tokenizer.load(Path(base_folder(None)) / "tokenizer.json", 32)
    texts = ["很好很好!", "不好", "的 bad"] * 20
    found = unknown(texts, tokenizer, 10)
    assert found == ["好", "很"]  # 不 and 的 are known, and so is all that is Latin.
    assert unknown(texts, tokenizer, 1) == ["好"]
    assert unknown(texts[:3], tokenizer, 10) == []
    more = tokenizer.extended([*found, "[overdue=1]"])
    (ids,) = more.encode(["很好x[overdue=1]"])
    assert ids[1:3] == [tokenizer.size + 1, tokenizer.size]
    assert ids[-2] == tokenizer.size + 2


def test_only_new_words_learn_and_both_become_one_table() -> None:
    pretrained = nn.Embedding(5, 3)
    words = Words(pretrained, 2, torch.Generator().manual_seed(1))
    ids = torch.tensor([[0, 4, 5, 6]])
    told = words(ids)
    assert torch.equal(told[0, :2], pretrained.weight[[0, 4]])
    told.sum().backward()
    assert words.new.weight.grad is not None
    assert (words.new.weight.grad == 1).all()
    assert pretrained.weight.grad is None
    assert torch.equal(words.merged()(ids), told)


def test_without_new_words_nothing_changes() -> None:
    pretrained = nn.Embedding(5, 3)
    words = Words(pretrained, 0, torch.Generator())
    assert torch.equal(words(torch.arange(5)), pretrained.weight)
    assert words.weight.shape == (5, 3)
