"""Logistic regression on every number, its square and whether it is missing: smooth where trees are steps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

# Beyond so many deviations a value says no more.
SPREAD = 4.0


def curved(
    columns: Mapping[str, "np.ndarray[Any, Any]"],
    labels: "np.ndarray[Any, Any]",
    tested: Mapping[str, "np.ndarray[Any, Any]"],
    strength: float = 0.05,
) -> "np.ndarray[Any, Any]":
    """Probabilities for `tested` of what was learned from `columns` (by name, NaN: missing) and their labels."""
    from sklearn.linear_model import LogisticRegression

    inputs: list[Any] = []
    told: list[Any] = []
    for name, values in columns.items():
        logs, others = _logs(values), _logs(tested[name])
        known = np.isfinite(logs)
        if not known.any():
            continue
        mean, spread = logs[known].mean(), logs[known].std()
        for found, given in ((inputs, logs), (told, others)):
            scaled = np.clip((given - mean) / (spread or 1.0), -SPREAD, SPREAD)
            here = np.isfinite(scaled)
            found += [np.where(here, scaled, 0.0), np.where(here, (scaled**2 - 1) / 2, 0.0), ~here]
    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=50)
    model.fit(np.column_stack(inputs), labels > 0.5)
    answers: np.ndarray[Any, Any] = model.predict_proba(np.column_stack(told))[:, 1]
    return answers


def _logs(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    logs: np.ndarray[Any, Any] = np.sign(values) * np.log1p(np.abs(values))
    return logs
