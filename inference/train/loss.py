"""One loss over all heads, each over what is known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

# Nats and squared logs are of different sizes; value also has the fewest labels that are sure.
WEIGHTS = {"churn": 1.0, "intent": 1.0, "value": 0.2, "sentiment": 1.0}


class Loss:
    """Cross-entropy for what is true or not, Huber's loss on log1p for amounts; labels that nobody knows are skipped.

    `balanced` weighs the rarer class up, so that both weigh alike over the training labels.
    """

    def __init__(self, heads: Sequence[str], labels: "np.ndarray[Any, Any]", *, balanced: bool = False) -> None:
        self._heads = heads
        shares = np.nanmean(labels, axis=0)
        self._positive = [
            float((1 - s) / s) if balanced and h != "value" else 1.0 for h, s in zip(heads, shares, strict=True)
        ]

    def __call__(self, answers: Tensor, labels: Tensor) -> Tensor:
        """The loss of answers and labels, [..., texts, heads]: the weighted sum of the heads' means."""
        total = answers.sum() * 0.0
        for column, head in enumerate(self._heads):
            known = ~torch.isnan(labels[..., column])
            if not bool(known.any()):
                continue
            given, wanted = answers[..., column][known], labels[..., column][known]
            if head == "value":
                one = functional.huber_loss(given, wanted)
            else:
                weight = torch.where(wanted > 0.5, self._positive[column], 1.0)
                one = functional.binary_cross_entropy_with_logits(given, wanted, weight=weight)
            total = total + WEIGHTS[head] * one
        return total
