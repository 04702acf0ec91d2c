"""Measures of probabilities: how often they are right at a threshold, and whether they mean what they say."""

import numpy as np

from inference.measures.ranking import Array


def decided(probabilities: Array, labels: Array, threshold: float = 0.5) -> dict[str, float]:
    """Accuracy, precision, recall and F1 of saying yes from the threshold on; 0 where nothing was said or there.

    >>> decided(np.array([0.9, 0.6, 0.2, 0.1]), np.array([1, 0, 1, 0]))
    {'accuracy': 0.5, 'precision': 0.5, 'recall': 0.5, 'f1': 0.5}
    """
    said, true = probabilities >= threshold, labels > 0.5
    hits = float((said & true).sum())
    precision = hits / said.sum() if said.any() else 0.0
    recall = hits / true.sum() if true.any() else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {
        "accuracy": float((said == true).mean()),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
    }


def log_loss(probabilities: Array, labels: Array) -> float:
    """Mean negative log-likelihood, in nats; probabilities are kept from 0 and 1 by 1e-7."""
    sure = np.clip(np.where(labels > 0.5, probabilities, 1 - probabilities), 1e-7, 1)
    return float(-np.log(sure).mean())


def brier(probabilities: Array, labels: Array) -> float:
    """Mean squared distance from what came true."""
    return float(((probabilities - labels) ** 2).mean())


def reliability(probabilities: Array, labels: Array, bins: int = 10) -> list[tuple[float, float, int]]:
    """Mean probability, observed share and number of cases, in equally filled bins from low to high."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [(float(probabilities[part].mean()), float(labels[part].mean()), len(part)) for part in parts]


def calibration_error(probabilities: Array, labels: Array, bins: int = 10) -> float:
    """Mean distance of predicted from observed share over the bins of `reliability` (expected calibration error)."""
    found = reliability(probabilities, labels, bins)
    return sum(count * abs(said - seen) for said, seen, count in found) / len(probabilities)
