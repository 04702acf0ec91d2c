"""The feature words' own path beside the text: an ensemble of small networks on buckets, and soft words for BERT."""

from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.bins import Bins

MEMBERS: Final = 8
WIDTH: Final = 48
PROMPTS: Final = 2


class Numbers(nn.Module):  # type: ignore[misc]
    """Rows of feature words, [texts, tokens], to answers of each member and soft words for the encoder.

    A text's feature words are one-hot features, so the sum of their rows in a table is a linear layer on binned
    features: the first layer of `MEMBERS` small networks, which are trained each for itself and answer by their mean
    (Gorishniy et al. 2025, TabM). The table is kept as steps from each bucket to the next, so that decay draws
    neighbours together (after the ordinal code of Gorishniy et al. 2022, On Embeddings for Numerical Features). The
    soft words are as in Liu et al. 2021, P-tuning. Row 0 stands for every word that is no feature, and is 0.

    Weights of each bucket straight on the answers (Cheng et al. 2016, Wide & Deep) were tried beside it, and are left
    out: on Complete Journey they took 0.001 of churn's ROC AUC.
    """

    def __init__(self, bins: Bins, heads: int, hidden: int, generator: torch.Generator, dropout: float = 0.2) -> None:
        super().__init__()
        self.steps = nn.Parameter(_steps(bins, generator))
        self.register_buffer("places", _places(bins), persistent=False)
        self.register_buffer("merged", None, persistent=False)
        self.spans = _spans(bins)
        self.norm = nn.LayerNorm(WIDTH)
        self.layer = nn.Parameter(torch.randn(MEMBERS, WIDTH, WIDTH, generator=generator) * (2 / WIDTH) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(MEMBERS, 1, WIDTH))
        self.out = nn.Parameter(torch.zeros(MEMBERS, WIDTH, heads))
        self.offset = nn.Parameter(torch.zeros(heads))
        self.dropout = nn.Dropout(dropout)
        self.prompts = nn.Linear(MEMBERS * WIDTH, PROMPTS * hidden)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Answers of each member, [members, texts, heads], and soft words, [texts, PROMPTS, hidden]."""
        if self.merged is None:
            summed = functional.embedding_bag(rows, self.table(), mode="sum")
        else:
            summed = functional.embedding(rows, self.merged).sum(1)
        deep = summed.unflatten(1, (MEMBERS, WIDTH)).transpose(0, 1)
        deep = self.dropout(functional.gelu(self.norm(deep)))
        deep = self.dropout(functional.gelu(deep @ self.layer + self.bias))
        answers = self.offset + deep @ self.out
        return answers, self.prompts(deep.transpose(0, 1).flatten(1)).unflatten(1, (PROMPTS, -1))

    def table(self) -> Tensor:
        """The rows that a sum is made of, [words + 1, MEMBERS * WIDTH]."""
        sums = torch.cat([self.steps[:, :1], self.steps[:, 1:].cumsum(1)], dim=1).flatten(0, 1)
        return torch.cat([torch.zeros_like(sums[:1]), sums[self.places]])

    def merge(self, seen: Tensor) -> None:
        """Keep the table as it is after training on these rows, [texts, features], for good.

        A word that none of them had (a feature that was never missing, and now is) says what its feature says on
        average, instead of what its row began with.
        """
        table = self.table().detach()
        counts = torch.bincount(seen.flatten(), minlength=len(table)).to(table.dtype)
        # The words of a feature lie between those before it and those after it.
        for first, last in self.spans:
            of = counts[first:last]
            if of.sum() > 0:
                mean = (table[first:last] * of.unsqueeze(1)).sum(0) / of.sum()
                table[first:last] = torch.where(of.unsqueeze(1) > 0, table[first:last], mean)
        self.merged = table


def rows_of(ids: Any, known: int) -> Any:
    """The table's rows of token ids: feature words have the ids from `known` on, in the order of the vocabulary."""
    return (ids - known + 1).clamp(min=0)


def _places(bins: Bins) -> Tensor:
    """Where in the flattened steps each word of `bins.vocabulary()` is."""
    most = max(map(len, bins.edges.values())) + 2
    return torch.tensor(
        [f * most + place for f, edges in enumerate(bins.edges.values()) for place in range(len(edges) + 2)]
    )


def _spans(bins: Bins) -> list[tuple[int, int]]:
    """First row of each feature in the table, and the one after its last."""
    ends = [1]
    for edges in bins.edges.values():
        ends.append(ends[-1] + len(edges) + 2)
    return list(pairwise(ends))


def _steps(bins: Bins, generator: torch.Generator) -> Tensor:
    """The steps to begin with, [features, 2 + most edges, MEMBERS * WIDTH]: missing, lowest, then differences.

    A bucket begins along two directions of its feature's own, by its rank and by the rank's square.
    """
    most = max(map(len, bins.edges.values())) + 2
    steps = torch.zeros(len(bins.edges), most, MEMBERS * WIDTH)
    for feature, edges in enumerate(bins.edges.values()):
        line, bow, missing = torch.randn(3, MEMBERS * WIDTH, generator=generator) / len(bins.edges) ** 0.5
        place = torch.linspace(-1.7, 1.7, len(edges) + 1).unsqueeze(1)
        rows = place * line + (place**2 - 1) / 2 * bow
        steps[feature, 0] = missing
        steps[feature, 1 : len(rows) + 1] = torch.cat([rows[:1], rows.diff(dim=0)])
    return steps
