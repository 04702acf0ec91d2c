"""The tokenizer: bounded, and one id for each feature word."""

from pathlib import Path

import pytest

from inference.tokenizer import Tokenizer
from schemas.errors import OperatorError


def test_feature_words_are_one_token_each_after_all_others(plain: Tokenizer) -> None:
    extended = plain.extended(["[overdue=none]", "[overdue=0]"])
    assert extended.size == plain.size + 2
    assert extended.encode(["[overdue=0] bought milk"]) == [[2, plain.size + 1, 4, 7, 3]]


@pytest.mark.parametrize("text", ["shoes " * 50_000, "x" * 100_000, "\N{PILE OF POO}" * 10_000, "[overdue=0]" * 10_000])
def test_no_text_is_longer_than_the_limit(plain: Tokenizer, text: str) -> None:
    extended = plain.extended(["[overdue=0]"])
    (ids,) = extended.encode([text])
    assert 2 <= len(ids) <= extended.limit
    assert (ids[0], ids[-1]) == (2, 3)


def test_truncation_drops_the_end(plain: Tokenizer) -> None:
    (ids,) = plain.encode(["milk " + "shoes " * 100])
    assert ids[1] == 7


def test_an_empty_text_is_its_two_ends(plain: Tokenizer) -> None:
    assert plain.encode([""]) == [[2, 3]]


def test_a_saved_tokenizer_encodes_alike(plain: Tokenizer, tmp_path: Path) -> None:
    extended = plain.extended(["[overdue=0]"])
    extended.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json", plain.limit)
    text = "[overdue=0] 3d bought 12 shoes"
    assert loaded.encode([text]) == extended.encode([text])


def test_a_broken_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(OperatorError, match="restore the model folder"):
        Tokenizer.load(tmp_path / "tokenizer.json", 24)
