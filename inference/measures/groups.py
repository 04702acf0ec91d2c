"""Measures by group of customers, and the gaps between groups that a fair model keeps small."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from inference.measures.ranking import Array, Ranking

# A group of fewer cases, or of fewer of one class, says more about chance than about the model.
FEWEST = 100
FEWEST_OF_A_CLASS = 20


def by_group(
    probabilities: Array, labels: Array, masks: Mapping[str, Any], threshold: float
) -> dict[str, dict[str, float]]:
    """Per group that is large enough: cases, AUC, share said and seen, selected share and true positive rate."""
    told = {}
    for name, mask in masks.items():
        given, wanted = probabilities[mask], labels[mask]
        if len(wanted) < FEWEST or not FEWEST_OF_A_CLASS <= wanted.sum() <= len(wanted) - FEWEST_OF_A_CLASS:
            continue
        told[name] = {
            "cases": float(len(wanted)),
            "roc_auc": Ranking(given, wanted).roc_auc(),
            "predicted": float(given.mean()),
            "observed": float(wanted.mean()),
            "selected": float((given >= threshold).mean()),
            "true_positive_rate": float((given[wanted > 0.5] >= threshold).mean()),
        }
    return told


def gaps(groups: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Largest difference between groups: of AUC, of calibration, of selection (demographic parity), of opportunity.

    Opportunity is the true positive rate (equal opportunity: Hardt et al. 2016); calibration is predicted less
    observed.
    """
    if len(groups) < 2:
        return {}
    found = {
        "roc_auc": [g["roc_auc"] for g in groups.values()],
        "calibration": [g["predicted"] - g["observed"] for g in groups.values()],
        "selection": [g["selected"] for g in groups.values()],
        "opportunity": [g["true_positive_rate"] for g in groups.values()],
    }
    return {name: float(np.max(values) - np.min(values)) for name, values in found.items()}
