"""Calibration: weights of numbers and text and an offset per head, learned on the validation part."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from inference.train.batches import Encoded
from inference.train.fit import predict
from inference.train.network import Network

Array = np.ndarray[Any, np.dtype[np.float64]]

# Below so many labels a line would follow chance; and one weight alone stays positive, so that no order changes.
FEWEST: Final = 50
FLATTEST: Final = 1e-3
SAME: Final = 1e-6


def calibrate(network: Network, examples: Encoded, heads: Sequence[str], only: Sequence[str] | None = None) -> None:
    """Make the network's answers mean what they say: shares for probabilities (Platt 1999), mean amounts for value.

    What the numbers say and what the text says are weighed apart, as in stacking (Wolpert 1992): where the text tells
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
        told = [part for part in (0, 1) if np.ptp(given[:, part]) > SAME]
        weights, offset = _line(given[:, told], target, mean)
        with torch.no_grad():
            network.mix[column] = 0.0
            for part, weight in zip(told, weights, strict=True):
                network.mix[column, part] = float(weight)
            network.offset[column] = float(offset)


def _line(given: Array, target: Array, mean: Callable[[Array], Array]) -> tuple[Array, float]:
    """Weights that are not negative, and an offset, of a generalised linear model with its canonical link.

    Logistic regression where `mean` is expit, quasi-Poisson regression where it is exp.
    """
    scale = max(1.0, float(target.mean()))
    inputs = np.column_stack([given, np.ones(len(given))])

    def cost(line: Array) -> tuple[float, Array]:
        logs = np.clip(inputs @ line, -20, 20)
        total = np.exp(logs) if mean is np.exp else np.logaddexp(0, logs)
        return float((total - target * logs).mean()) / scale, inputs.T @ (mean(logs) - target) / len(target) / scale

    start = np.array([1.0] * given.shape[1] + [0.0])
    bounds = [(0.0, None)] * given.shape[1] + [(None, None)]
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.maximum(found[:-1], FLATTEST if given.shape[1] == 1 else 0.0), float(found[-1])
