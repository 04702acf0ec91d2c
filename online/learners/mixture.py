"""Several sources' probabilities as one: weights in log-odds space, learned from what came true."""

import math
from collections.abc import Mapping
from typing import Final

from schemas.odds import logit, sigmoid

RATE: Final = 0.02
FLOOR: Final = 0.02


class Mixture:
    """Weights of named sources, which add up to 1, by exponentiated gradient on the log loss.

    A source that says nothing is left out, and the others share its weight. Source: Kivinen and Warmuth 1997.

    >>> Mixture({"a": 0.5, "b": 0.5}).combine({"a": 0.75, "b": 0.25})
    0.5
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = dict(weights)

    def combine(self, given: Mapping[str, float]) -> float | None:
        """The mixed probability of what these sources say; None when none of the mixture's says anything."""
        found = self._linear(given)
        return None if found is None else sigmoid(found)

    def learn(self, given: Mapping[str, float], label: bool) -> None:
        """Move the weights of the sources that spoke towards those that were right."""
        linear = self._linear(given)
        spoke = [name for name in self.weights if name in given]
        if linear is None or len(spoke) < 2:
            return
        error = sigmoid(linear) - label
        share = sum(self.weights[name] for name in spoke)
        moved = {name: self.weights[name] * math.exp(-RATE * error * (logit(given[name]) - linear)) for name in spoke}
        total = sum(moved.values())
        # A weight of 0 could never grow again.
        floored = {name: max(FLOOR, weight / total) for name, weight in moved.items()}
        scale = share / sum(floored.values())
        self.weights |= {name: weight * scale for name, weight in floored.items()}

    @staticmethod
    def checked(held: Mapping[str, float], names: frozenset[str]) -> "Mixture":
        """A mixture of exactly these sources with the weights `held`; raises ValueError for anything else."""
        if held.keys() != names or not all(0.0 < weight <= 1.0 for weight in held.values()):
            raise ValueError("the state's weights are none")
        if abs(sum(held.values()) - 1.0) > 1e-6:
            raise ValueError("the state's weights do not add up to 1")
        return Mixture(held)

    def _linear(self, given: Mapping[str, float]) -> float | None:
        spoke = [(weight, given[name]) for name, weight in self.weights.items() if name in given]
        if not spoke:
            return None
        return sum(weight * logit(p) for weight, p in spoke) / sum(weight for weight, _ in spoke)
