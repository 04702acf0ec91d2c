"""Text to token ids, bounded in length: the vocabulary of the pretrained BERT and one word per feature bucket."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

from schemas.errors import OperatorError

# No story needs more characters for a token than the longest feature word has.
CHARS_A_TOKEN: Final = 32


class Tokenizer:
    """Encodes texts to at most `limit` ids each, the two that open and close a text included.

    Nothing behind it bounds a text: Triton runs whatever length it is sent.
    """

    def __init__(self, backend: Backend, limit: int) -> None:
        self.limit = limit
        self._backend = backend
        self._backend.no_padding()
        self._backend.enable_truncation(limit)

    @classmethod
    def load(cls, path: Path, limit: int) -> "Tokenizer":
        """From a `tokenizer.json`."""
        try:
            return cls(Backend.from_str(path.read_text(encoding="utf-8")), limit)
        except Exception as error:  # The library raises bare exceptions.
            raise OperatorError(f"{path} is no tokenizer ({error}): restore the model folder") from error

    def extended(self, words: Iterable[str]) -> "Tokenizer":
        """A copy whose vocabulary also holds these words, each one token, with ids after all others."""
        backend = Backend.from_str(self._backend.to_str())
        backend.add_tokens([AddedToken(word, normalized=False) for word in words])
        return Tokenizer(backend, self.limit)

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`."""
        path.write_text(self._backend.to_str(), encoding="utf-8")

    @property
    def size(self) -> int:
        """Number of ids."""
        return int(self._backend.get_vocab_size(with_added_tokens=True))

    def id(self, word: str) -> int | None:
        """The id of one word of the vocabulary."""
        token: int | None = self._backend.token_to_id(word)
        return token

    def word(self, number: int) -> str:
        """The word of one id; empty where there is none."""
        found: str | None = self._backend.id_to_token(number)
        return found or ""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""
        bounded = [text[: CHARS_A_TOKEN * self.limit] for text in texts]
        return [encoding.ids for encoding in self._backend.encode_batch(bounded)]
