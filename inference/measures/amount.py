"""Measures of expected amounts."""

from typing import Any

import numpy as np

from inference.measures.ranking import Array


def errors(expected: Array, spent: Array) -> dict[str, float]:
    """Mean absolute and root mean squared error, rank correlation, and the sums' ratio (1: true on average)."""
    return {
        "mean_absolute_error": float(np.abs(expected - spent).mean()),
        "root_mean_squared_error": float(np.sqrt(((expected - spent) ** 2).mean())),
        "rank_correlation": spearman(expected, spent),
        "sum_ratio": float(expected.sum() / spent.sum()) if spent.sum() else float("nan"),
    }


def spearman(first: Array, second: Array) -> float:
    """Correlation of ranks, ties at their mean rank (Spearman 1904).

    >>> spearman(np.array([1.0, 2.0, 2.0, 9.0]), np.array([3.0, 5.0, 5.0, 6.0]))
    1.0
    """
    return round(float(np.corrcoef(_ranks(first), _ranks(second))[0, 1]), 12)


def _ranks(values: Array) -> Any:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]
