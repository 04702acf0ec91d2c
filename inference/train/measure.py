"""What a manifest says of a model's quality, head by head."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.measures.probability import calibration_error, log_loss
from inference.train.batches import Labels
from inference.train.examples import Row
from inference.train.fit import auc


def measured(
    answers: "np.ndarray[Any, Any]", rows: Sequence[Row], labels: Labels, heads: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Per head over what is known: ROC AUC (of value: of amounts above the median), and how true the numbers are."""
    found = {}
    for column, head in enumerate(heads):
        known = ~np.isnan(labels[:, column])
        given, wanted = answers[known, column].astype(float), labels[known, column].astype(float)
        told = {"cases": float(known.sum()), "roc_auc": auc(given, wanted, head)}
        if head != "sentiment":
            told["roc_auc_recency"] = auc(_recency(rows, head)[known], wanted, head)
        found[head] = {
            name: round(v, 4) for name, v in (told | (_amounts if head == "value" else _shares)(given, wanted)).items()
        }
    return found


def _shares(given: "np.ndarray[Any, Any]", wanted: "np.ndarray[Any, Any]") -> dict[str, float]:
    return {
        "log_loss": log_loss(given, wanted),
        "calibration_error": calibration_error(given, wanted),
        "share": float(wanted.mean()),
    }


def _amounts(given: "np.ndarray[Any, Any]", wanted: "np.ndarray[Any, Any]") -> dict[str, float]:
    expected, spent = np.expm1(given), np.expm1(wanted)
    return {
        "mean_absolute_error": float(np.abs(expected - spent).mean()),
        "mean_expected": float(expected.mean()),
        "mean_spent": float(spent.mean()),
    }


def _recency(rows: Sequence[Row], head: str) -> "np.ndarray[Any, Any]":
    """How recently she ordered, as a score: never counts as the longest ago."""
    ordered = [None if row.snapshot is None else row.snapshot.features.get("days_since_order") for row in rows]
    since = np.array([1e6 if days is None else days for days in ordered])
    return since if head == "churn" else -since
