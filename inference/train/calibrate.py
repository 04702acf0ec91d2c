"""Calibration: a slope and an offset per head, learned on the validation part and folded into the head's weights."""

from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from inference.train.network import Network


def calibrate(
    network: Network, odds: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]"
) -> list[tuple[float, float]]:
    """Make the network's probabilities mean what they say (Platt 1999); gives slope and offset of each head.

    The served model then needs no parameter beside its weights, and no order changes: the slope is positive.
    """
    fitted = []
    for head in range(labels.shape[1]):
        line = LogisticRegression(C=1e6).fit(odds[:, [head]], labels[:, head])
        slope, offset = max(float(line.coef_[0, 0]), 1e-3), float(line.intercept_[0])
        with torch.no_grad():
            network.head.weight[head] *= slope
            network.head.bias[head] = network.head.bias[head] * slope + offset
        fitted.append((slope, offset))
    return fitted


def calibration_error(probabilities: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]", bins: int = 10) -> float:
    """Mean distance of predicted from observed share over equally filled bins (expected calibration error)."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(
        sum(len(part) * abs(probabilities[part].mean() - labels[part].mean()) for part in parts) / len(probabilities)
    )
