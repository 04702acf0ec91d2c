"""A path of its own for reviews beside the encoder: what single words and pairs of neighbours say, added up."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional

from inference.train.batches import Encoded

# Even rows of the table are words, odd ones pairs of neighbours; pairs share rows, by chance.
ROWS: Final = 1 << 17
MIX: Final = 31_337
READ: Final = "sentiment"
# Inverse strength of the penalty; of 4, 8, 16 and 32 the best on the reviews that validate.
STRENGTH: Final = 8.0
# Of fewer reviews nobody learns what a pair means.
FEWEST: Final = 500


class Grams(nn.Module):  # type: ignore[misc]
    """Logistic regression on hashed words and pairs (Weinberger et al. 2009), scaled by their number's root.

    In a script without spaces a token is a character, and pairs of them are what words are elsewhere: an English
    encoder with a few layers learns of them what its few thousand reviews show, a table what all of them do. Beside the
    encoder as in Cheng et al. 2016, Wide & Deep. It answers for one head, `column`, and says nothing of the others.
    """

    def __init__(self, heads: int, column: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.zeros(ROWS, 1))
        self.register_buffer("heads", functional.one_hot(torch.tensor(column), heads).float())

    def forward(self, ids: Tensor, text: Tensor) -> Tensor:
        """Log odds, [texts, heads], of token ids and of which are words of a text, [texts, tokens]."""
        pairs = text[:, 1:] * text[:, :-1]
        rows = torch.cat([words(ids), neighbours(ids[:, :-1], ids[:, 1:])], dim=1)
        there = torch.cat([text, pairs], dim=1).to(self.weights.dtype)
        told = (functional.embedding(rows, self.weights).squeeze(-1) * there).sum(1)
        return (told / there.sum(1).clamp(min=1).sqrt()).unsqueeze(1) * self.heads


def words(ids: Any) -> Any:
    """The table's rows of words, by their ids."""
    return ids * 2 % ROWS


def neighbours(first: Any, second: Any) -> Any:
    """The table's rows of pairs."""
    return (first * MIX + second) * 2 % ROWS + 1


def fit_grams(train: Encoded, heads: Sequence[str]) -> Grams | None:
    """Learn from every review, [texts, heads] of labels; None where there are too few, or no such head."""
    if READ not in heads:
        return None
    column = heads.index(READ)
    known = np.flatnonzero(~np.isnan(train.labels[:, column]))
    if len(known) < FEWEST:
        return None
    wanted = train.labels[known, column] > 0.5
    found = LogisticRegression(C=STRENGTH, max_iter=300).fit(_features([train.ids[n] for n in known]), wanted)
    grams = Grams(len(heads), column)
    grams.weights.copy_(torch.from_numpy(found.coef_.astype(np.float32)).T)
    return grams


def readable(train: Encoded, heads: Sequence[str]) -> int:
    """How many texts there are to learn from."""
    return int((~np.isnan(train.labels[:, heads.index(READ)])).sum()) if READ in heads else 0


def _features(texts: Sequence[list[int]]) -> Any:
    """[texts, ROWS], as `Grams` adds them up."""
    told = []
    for text in texts:
        ids = np.array(text, dtype=np.int64)
        told.append(np.concatenate([words(ids), neighbours(ids[:-1], ids[1:])]))
    sizes = np.array([len(rows) for rows in told])
    values = np.repeat(1 / np.sqrt(sizes), sizes)
    return csr_matrix((values, (np.repeat(np.arange(len(told)), sizes), np.concatenate(told))), (len(told), ROWS))
