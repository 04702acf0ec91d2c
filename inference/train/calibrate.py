"""Calibration: weights of a head's parts by the validation part, and an offset by the latest days."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch
from scipy.optimize import brentq, minimize
from scipy.special import expit

from inference.train.batches import Encoded
from inference.train.fit import predict
from inference.train.network import PARTS, Network

Array = np.ndarray[Any, np.dtype[np.float64]]

# Below so many labels a line would follow chance; and one weight alone stays positive, so that no order changes.
FEWEST: Final = 50
FLATTEST: Final = 1e-3
SAME: Final = 1e-6
# Examples of one customer are alike, and a twentieth of the customers are few: for probabilities of what she does, the
# belief that the answers are right as they are weighs as much as so many examples. On Complete Journey lines through
# validation alone had slopes from 0.8 to 1.2, and were worse on what came after than no line.
BELIEF: Final = 2_000
OF_CUSTOMERS: Final = ("churn", "intent")
LATEST_DAYS: Final = 40


def calibrate(network: Network, examples: Encoded, heads: Sequence[str], only: Sequence[str] | None = None) -> None:
    """Make the network's answers mean what they say: shares for probabilities (Platt 1999), mean amounts for value.

    What numbers, encoder and grams say is weighed apart, as in stacking (Wolpert 1992): where the text tells
    nothing of customers never seen in training, it is not listened to. A weight is never negative. Value was learned as
    log1p of an amount, whose mean is not the mean amount's log; its line is fitted so that expm1 of the answer is the
    expected amount (quasi-Poisson regression with a log link; Duan 1983 on the need for it).
    """
    if only is not None and not only:
        return
    parts = predict(network, examples.ids, parts=True)
    for column, head in enumerate(heads):
        known = ~np.isnan(examples.labels[:, column]) & (only is None or head in only)
        given, wanted = parts[known, column], examples.labels[known, column].astype(float)
        if known.sum() < FEWEST or len(np.unique(wanted)) < 2:
            continue
        target, mean = (np.exp(wanted), np.exp) if head == "value" else (wanted, expit)
        # The others of a text without numbers are the same for all; they are left as they are.
        told = [part for part in range(PARTS) if np.ptp(given[:, part]) > SAME]
        belief = BELIEF if head in OF_CUSTOMERS else 0
        weights, offset = _line(given[:, told], target, mean, belief)
        with torch.no_grad():
            network.mix[column] = 0.0
            for part, weight in zip(told, weights, strict=True):
                network.mix[column, part] = float(weight)
            network.offset[column] = float(offset)


def level(network: Network, latest: Encoded, heads: Sequence[str]) -> None:
    """Move the offsets of churn and intent so that on these, the latest examples, shares are what they were.

    Shares drift, in a log that begins at one day for all even with nothing else changing, and a network tells the
    average of what it learned from. All customers' latest labels are more, and later, than those of the few who
    validate; that it learned from them does not matter to a mean.
    """
    answers = predict(network, latest.ids)
    for column, head in enumerate(heads):
        known = ~np.isnan(latest.labels[:, column])
        if head not in OF_CUSTOMERS or known.sum() < BELIEF:
            continue
        given, wanted = answers[known, column], latest.labels[known, column].astype(float)
        with torch.no_grad():
            network.offset[column] += brentq(lambda by, g=given, w=wanted: float((expit(g + by) - w).mean()), -3.0, 3.0)


def _line(given: Array, target: Array, mean: Callable[[Array], Array], belief: int) -> tuple[Array, float]:
    """Weights that are not negative, and an offset, of a generalised linear model with its canonical link.

    Logistic regression where `mean` is expit, quasi-Poisson regression where it is exp; drawn to weights of 1 and no
    offset as by `belief` examples of which half came true.
    """
    scale = max(1.0, float(target.mean()))
    inputs = np.column_stack([given, np.ones(len(given))])

    rests = np.array([1.0] * given.shape[1] + [0.0])
    # The curvature of logistic regression: of log odds of some 2 by the weights, of 1 by the offset.
    pull = belief / len(given) / 4 * np.array([4.0] * given.shape[1] + [1.0])

    def cost(line: Array) -> tuple[float, Array]:
        logs = np.clip(inputs @ line, -20, 20)
        total = np.exp(logs) if mean is np.exp else np.logaddexp(0, logs)
        held = line - rests
        return (
            float((total - target * logs).mean()) / scale + float(pull @ held**2) / 2,
            inputs.T @ (mean(logs) - target) / len(target) / scale + pull * held,
        )

    bounds = [(0.0, None)] * given.shape[1] + [(None, None)]
    found = minimize(cost, rests, jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.maximum(found[:-1], FLATTEST if given.shape[1] == 1 else 0.0), float(found[-1])
