"""Ranking measures that take weights, so that a bootstrap is a matter of weights and costs one sort."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]


class Ranking:
    """Scores sorted once, with their labels (0 or 1); each measure then takes one weight per case.

    >>> Ranking(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])).roc_auc()
    0.75
    """

    def __init__(self, scores: Array, labels: Array) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ranked = scores[self._order]
        self._labels = np.asarray(labels, dtype=np.float64)[self._order]
        # Where each run of equal scores begins.
        self._starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))

    def roc_auc(self, weights: Array | None = None) -> float:
        """The chance that a positive ranks above a negative, ties as a half; NaN when there is but one class."""
        positive, negative = self._groups(weights)
        total = positive.sum() * negative.sum()
        if total == 0:
            return float("nan")
        below = negative.sum() - np.cumsum(negative)
        return float((positive * (below + negative / 2)).sum() / total)

    def average_precision(self, weights: Array | None = None) -> float:
        """Precision averaged over the positives, from the top; equal scores count as one step."""
        positive, negative = self._groups(weights)
        if positive.sum() == 0:
            return float("nan")
        taken = np.cumsum(positive + negative)
        precision = np.divide(np.cumsum(positive), taken, out=np.zeros_like(taken), where=taken > 0)
        return float((positive * precision).sum() / positive.sum())

    def curve(self) -> tuple[Array, Array, Array]:
        """Per threshold from the highest: false positive rate, true positive rate (recall), precision."""
        positive, negative = self._groups(None)
        true, false = np.cumsum(positive), np.cumsum(negative)
        return false / max(negative.sum(), 1), true / max(positive.sum(), 1), true / (true + false)

    def _groups(self, weights: Array | None) -> tuple[Array, Array]:
        """Weight of the positives and negatives of each run of equal scores."""
        given = np.ones_like(self._labels) if weights is None else np.asarray(weights, dtype=np.float64)[self._order]
        positive: Array = np.add.reduceat(given * self._labels, self._starts)
        negative: Array = np.add.reduceat(given * (1 - self._labels), self._starts)
        return positive, negative
