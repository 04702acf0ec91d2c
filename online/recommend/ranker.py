"""The ranker: a linear model with a small hidden layer beside it, learned online on what was chosen among what.

The score of a candidate is w·x + v·tanh(Ux + b) of its standardised features; learned is the softmax over the
candidates of a session, by Adam (Kingma & Ba 2015), on the newest case with cases drawn from those before it
(experience replay, Lin 1992). What scores is the running mean of the weights learned (Polyak & Juditsky 1992), which
the chance of a step moves less. Deterministic: the same cases in the same order give the same ranker.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Single precision; what becomes of arithmetic with plain numbers is not typed.
Floats = NDArray[Any]

HIDDEN: Final = 16
REPLAY: Final = 2_000
BATCH: Final = 32
EVERY: Final = 8
RATE: Final = 3e-3
SHRINK: Final = 1e-4
# The mean of the weights looks back this many steps.
AVERAGED: Final = 500
# Running mean and variance of a feature look back this many cases.
MEMORY: Final = 5_000


class Ranker:
    """Scores candidates [n, features]; `learned` counts the cases."""

    def __init__(self, features: int, prior: Floats, seed: int = 7) -> None:
        self.learned = 0
        scale = 1.0 / np.sqrt(features)
        hidden = np.random.default_rng(seed).normal(0.0, scale, (features, HIDDEN)).astype(np.float32)
        self.weights: list[Floats] = [prior.copy(), hidden, np.zeros(HIDDEN, np.float32), np.zeros(HIDDEN, np.float32)]
        self.averaged: list[Floats] = [w.copy() for w in self.weights]
        self.mean: Floats = np.zeros(features, np.float32)
        self.spread: Floats = np.ones(features, np.float32)
        self._moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.weights]
        self.steps = 0
        self._replay: list[tuple[Floats, int]] = []
        self._begin()

    def score(self, features: Floats) -> Floats:
        """Each candidate's score; their exponentials are in the ratio of the probabilities to be chosen."""
        linear, hidden, bias, out = self.averaged
        x = (features - self.mean) / self.spread
        found: Floats = x @ linear + np.tanh(x @ hidden + bias) @ out
        return found

    def learn_one(self, features: Floats, chosen: int) -> None:
        """Of these candidates the one at `chosen` was taken."""
        self.learned += 1
        self._standardise(features)
        if len(self._replay) < REPLAY:
            self._replay.append((features, chosen))
        else:
            self._replay[self.learned % REPLAY] = (features, chosen)
        if self.learned % EVERY == 0:
            picked = self._random.integers(len(self._replay), size=BATCH)
            self._step([self._replay[i] for i in picked])

    def dump(self) -> list[Floats]:
        """All numbers. The cases to learn from again are let go of, and chance begins anew: as in a loaded copy."""
        self._begin()
        moments = [moment for pair in self._moments for moment in pair]
        return [*self.weights, *self.averaged, self.mean, self.spread, *moments]

    def load(self, arrays: list[Floats], learned: int, steps: int) -> None:
        """Take over what `dump` gave. Raises ValueError for what has another shape, or is not finite."""
        own = self.dump()
        if [a.shape for a in arrays] != [a.shape for a in own] or any(a.dtype != np.float32 for a in arrays):
            raise ValueError("an item index with another ranker")
        if not all(np.isfinite(array).all() for array in arrays) or learned < 0 or steps < 0:
            raise ValueError("an item index whose ranker has numbers that are not finite")
        count = len(self.weights)
        self.weights = arrays[:count]
        self.averaged = arrays[count : 2 * count]
        self.mean, self.spread = arrays[2 * count : 2 * count + 2]
        left = arrays[2 * count + 2 :]
        self._moments = list(zip(left[::2], left[1::2], strict=True))
        self.learned, self.steps = learned, steps
        self._begin()

    def _begin(self) -> None:
        self._replay.clear()
        self._random = np.random.default_rng(self.learned)

    def _standardise(self, features: Floats) -> None:
        share = np.float32(max(1.0 / self.learned, 1.0 / MEMORY))
        mean = features.mean(0)
        off = mean - self.mean
        variance = self.spread**2 if self.learned > 1 else np.zeros_like(self.spread)
        self.mean = self.mean + share * off
        variance = (1 - share) * (variance + share * off**2) + share * features.var(0)
        self.spread = np.maximum(np.sqrt(variance), np.float32(1e-3))

    def _step(self, cases: list[tuple[Floats, int]]) -> None:
        linear, hidden, bias, out = self.weights
        sizes = [len(features) for features, _ in cases]
        starts = np.cumsum([0, *sizes[:-1]])
        x = (np.concatenate([features for features, _ in cases]) - self.mean) / self.spread
        inner = np.tanh(x @ hidden + bias)
        scores = x @ linear + inner @ out
        scores = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        error = scores / np.repeat(np.add.reduceat(scores, starts), sizes)
        error[starts + np.array([chosen for _, chosen in cases])] -= 1.0
        error /= len(cases)
        back = error[:, None] * out * (1.0 - inner * inner)
        self._adam([x.T @ error + SHRINK * linear, x.T @ back + SHRINK * hidden, back.sum(0), inner.T @ error])

    def _adam(self, gradients: list[Floats]) -> None:
        self.steps += 1
        rate = RATE * np.sqrt(1.0 - 0.999**self.steps) / (1.0 - 0.9**self.steps)
        rate /= np.sqrt(1.0 + self.steps / 1_000)
        for weights, (first, second), gradient in zip(self.weights, self._moments, gradients, strict=True):
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            weights -= (rate * first / (np.sqrt(second) + 1e-8)).astype(np.float32)
        share = np.float32(1.0 / min(self.steps, AVERAGED))
        for mean, weights in zip(self.averaged, self.weights, strict=True):
            mean += share * (weights - mean)
