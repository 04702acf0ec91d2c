"""A teacher's probabilities beside the labels: what others make of an example, learned from other customers' labels."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from scipy.special import expit, logit

from inference.baselines.boosting import boosted
from inference.baselines.second import curved
from inference.baselines.table import table
from inference.rhythm import NAMES as STORY
from inference.train.batches import Labels
from inference.train.examples import Row
from inference.train.text import numbers
from schemas.features import NAMES
from schemas.hashing import hash64

FOLDS: Final = 5
TAUGHT: Final = ("churn", "intent")
READ: Final = (*NAMES, *STORY)
# Of fewer labels, or fewer of one kind in a fold, nobody learns to teach.
FEWEST: Final = 500


def taught(rows: Sequence[Row], labels: Labels, heads: Sequence[str], share: float, seed: int) -> Labels:
    """Labels, [rows, heads], of which the teacher's word is `share`; where nobody knows, all is the teacher's.

    A label is one draw of a chance, and the teacher says the chance: less noise to learn from (Hinton et al. 2015,
    Distilling the Knowledge in a Neural Network), also for stories whose outcome is not known. The teacher, trees and
    a second-order regression on every registered feature and the story's numbers, learns from other customers only
    (cross-fitting): what it says of an example does not hold the example's own label.
    """
    found = labels.copy()
    stories = np.array([n for n, row in enumerate(rows) if row.snapshot is not None], dtype=np.intp)
    features = table((numbers(rows[n]) for n in stories), len(stories), READ)
    folds = np.array([hash64(f"{seed} {_customer(rows[n])}") % FOLDS for n in stories])
    for column in (heads.index(head) for head in TAUGHT if head in heads):
        wanted = labels[stories, column]
        known = ~np.isnan(wanted)
        if known.sum() < FEWEST:
            continue
        said = np.empty(len(stories))
        for fold in range(FOLDS):
            others, mine = known & (folds != fold), folds == fold
            said[mine] = teach(features[others], wanted[others].astype(float), features[mine], seed)
        found[stories, column] = np.where(known, (1 - share) * wanted + share * said, said)
    return found


def teach(
    features: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]", asked: "np.ndarray[Any, Any]", seed: int
) -> "np.ndarray[Any, Any]":
    """What trees and regression, half and half in log odds, say of `asked`, [rows, numbers]."""
    trees = boosted(features, labels, asked, amounts=False, seed=seed)
    told, others = (dict(zip(READ, given.T, strict=True)) for given in (features, asked))
    line = curved(told, labels, others)
    mean: np.ndarray[Any, Any] = expit(
        (logit(np.clip(trees, 1e-6, 1 - 1e-6)) + logit(np.clip(line, 1e-6, 1 - 1e-6))) / 2
    )
    return mean


def _customer(row: Row) -> str:
    return row.snapshot.customer if row.snapshot is not None else ""
