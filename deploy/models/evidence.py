"""What speaks for a version on trial: its predictions beside the serving version's, on what customers then did."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from inference.measures.ranking import Ranking
from schemas.outputs import Example

# Labels of a target before it says anything; both outcomes must be among them.
ENOUGH: Final = 200
# In nats: a version counts as no worse when its log loss is, with 95% confidence, at most this much higher.
MARGIN: Final = 0.01
_Z95: Final = 1.645
_FLOOR: Final = 1e-6

Vector = np.ndarray[Any, np.dtype[np.float64]]


def compare(examples: Iterable[Example], serving: str, candidate: str) -> dict[str, dict[str, Any]]:
    """By target (churn, intent): labels, ROC AUC and log loss of both versions on the same predictions, and a verdict.

    `worse_by` is the mean difference of the log losses, `at_most` its upper 95% bound; `verdict` is `good` where that
    is below `MARGIN` (a one-sided test of non-inferiority), `worse` where it is not, `early` without enough labels.
    """
    told: defaultdict[str, list[tuple[bool, float, float]]] = defaultdict(list)
    for example in examples:
        if example.bert is None or example.shadow is None or example.target == "value":
            continue
        if (example.models.get("bert"), example.models.get("shadow")) == (serving, candidate):
            told[example.target].append((example.label, example.bert, example.shadow))
    return {target: _compared(np.array(rows, dtype=np.float64)) for target, rows in sorted(told.items())}


def suffices(evidence: dict[str, dict[str, Any]]) -> bool:
    """Whether a version may be promoted: good on one target at least, and worse on none."""
    verdicts = [found["verdict"] for found in evidence.values()]
    return "good" in verdicts and "worse" not in verdicts


def _compared(rows: Vector) -> dict[str, Any]:
    labels, serving, candidate = rows.T
    difference = _losses(labels, candidate) - _losses(labels, serving)
    bound = difference.mean() + _Z95 * difference.std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.inf
    early = len(rows) < ENOUGH or labels.min() == labels.max()
    return {
        "labels": len(rows),
        "auc": {"serving": auc(labels, serving), "candidate": auc(labels, candidate)},
        "log_loss": {
            "serving": round(float(_losses(labels, serving).mean()), 4),
            "candidate": round(float(_losses(labels, candidate).mean()), 4),
        },
        "worse_by": round(float(difference.mean()), 4),
        "at_most": round(float(bound), 4) if np.isfinite(bound) else None,
        "apart": round(float(np.abs(candidate - serving).mean()), 4),
        "verdict": "early" if early else "good" if bound <= MARGIN else "worse",
    }


def auc(labels: Vector, scores: Vector) -> float | None:
    """ROC AUC, ties as a half; None where only one outcome is there."""
    found = Ranking(scores, labels).roc_auc()
    return None if np.isnan(found) else round(found, 4)


def _losses(labels: Vector, scores: Vector) -> Vector:
    bounded = np.clip(scores, _FLOOR, 1 - _FLOOR)
    losses: Vector = -(labels * np.log(bounded) + (1 - labels) * np.log(1 - bounded))
    return losses
