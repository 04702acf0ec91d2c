"""Texts as padded tensors, in batches of like length."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Labels = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of each text, and its labels, [texts, heads]: NaN where nobody knows, value as log1p."""

    ids: list[list[int]]
    labels: Labels

    def taken(self, rows: "np.ndarray[Any, Any]") -> "Encoded":
        """Some of the texts."""
        return Encoded([self.ids[i] for i in rows], self.labels[rows])


def pad(ids: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask, [texts, longest]."""
    longest = max(map(len, ids))
    tokens = np.zeros((len(ids), longest), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for row, sequence in enumerate(ids):
        tokens[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return torch.from_numpy(tokens), torch.from_numpy(mask)


def batches(ids: Sequence[list[int]], size: int, epochs: int, seed: int) -> list[list[int]]:
    """All rows once an epoch, in random batches of texts of like length: sorted within windows of 32 batches."""
    generator = random.Random(seed)
    dealt = []
    for _ in range(epochs):
        order = list(range(len(ids)))
        generator.shuffle(order)
        epoch = []
        for start in range(0, len(order), 32 * size):
            window = sorted(order[start : start + 32 * size], key=lambda i: len(ids[i]))
            epoch += [window[first : first + size] for first in range(0, len(window), size)]
        generator.shuffle(epoch)
        dealt += epoch
    return dealt
