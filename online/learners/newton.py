"""Second-order online regression: every example moves each weight by as much as is still uncertain about it."""

import math
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from online.learners.basis import INPUTS, OWNER, VALUES, Scale, Vector
from online.learners.numbers import from_text, to_text
from schemas.features import NAMES

PRIOR: Final = 0.05
# What is known fades: after 1 / FADE examples as if they had never been, up to the prior's uncertainty.
FADE: Final = 1e-5
EVERY: Final = 64
LOGIT: Final = 8.0
LEAST_CURVATURE: Final = 0.02
STEP: Final = 3.0
LARGEST: Final = 1e6
# When the loss of late (1 / 300) exceeds that of long (1 / 3,000) by so much, what is known is doubted by `DOUBT`.
RECENT: Final = 1 / 300
LONG: Final = 1 / 3_000
WORSE: Final = 0.12
DOUBT: Final = 30.0
_NUMBER: Final = {name: number for number, name in enumerate(INPUTS)}
_OWNER: Final = np.array([NAMES.index(OWNER[name]) for name in INPUTS[1:]])
_VALUE: Final = {name: number for number, name in enumerate(VALUES)}


class Scaled(Struct, array_like=True, forbid_unknown_fields=True):
    """Mean and variance of a value, over so many examples."""

    count: int
    mean: float
    var: float


class Taught(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a regression has learned, without how sure it is of it: weights by input, scales by value."""

    weights: dict[str, float]
    scales: dict[str, Scaled]


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    learned: int
    noise: float
    recent: float
    long: float
    weights: dict[str, float]
    scales: dict[str, Scaled]
    spread: str


class Newton:
    """Bayesian regression on `INPUTS` with a full covariance, by the extended Kalman filter.

    A probability by the logistic link, or with `amount` a number by the identity. One pass is close to what training
    again on everything would give. An example costs O(inputs^2). It is additive: a prediction is the sum of what each
    feature contributes. Source: Penny and Roberts 1999, Dynamic logistic regression; West and Harrison 1997.
    """

    def __init__(self, *, amount: bool = False) -> None:
        self.amount = amount
        self.learned = 0
        self._noise = 1.0
        self._recent = self._long = 0.0
        self._scale = Scale()
        self._weights = np.zeros(len(INPUTS))
        # The covariance of the inputs that ever were anything but 0, in the order in which they came up.
        self._rows = np.zeros(0, dtype=np.intp)
        self._spread = np.zeros((0, 0))

    @classmethod
    def begin(cls, taught: Taught) -> "Newton":
        """A regression that begins with what another was taught, each weight as uncertain as one of 0 would be.

        Inputs that there are no longer are left out.
        """
        model = cls()
        weights = {name: weight for name, weight in taught.weights.items() if name in _NUMBER}
        model._rows = np.array([_NUMBER[name] for name in weights], dtype=np.intp)
        model._weights[model._rows] = list(weights.values())
        model._spread = np.eye(len(weights)) * PRIOR
        model._scale_by({name: scale for name, scale in taught.scales.items() if name in _VALUE})
        return model

    def taught(self, believed: int) -> Taught:
        """What it has learned, its scales as if from `believed` examples at most."""
        held = msgspec.convert(self.dump(), _State)
        scales = {name: Scaled(min(believed, one.count), one.mean, one.var) for name, one in held.scales.items()}
        return Taught(weights=held.weights, scales=scales)

    def _scale_by(self, scales: dict[str, Scaled]) -> None:
        held = np.zeros((3, len(VALUES)))
        for name, scaled in scales.items():
            held[:, _VALUE[name]] = scaled.count, scaled.mean, scaled.var
        self._scale = Scale.of(*held)

    def predict(self, values: Vector) -> float:
        """The probability (or the number) of encoded `values`; changes nothing."""
        return self._link(float(self._weights @ self._scale.inputs(values)))

    def contributions(self, values: Vector) -> dict[str, float]:
        """How far each feature moves the log odds (or the number) from the average customer's."""
        parts = self._weights * self._scale.inputs(values)
        moved = np.bincount(_OWNER, parts[1:], len(NAMES)).tolist()
        return {name: part for name, part in zip(NAMES, moved, strict=True) if part}

    @property
    def intercept(self) -> float:
        """The average customer's log odds (or number)."""
        return float(self._weights[0])

    def learn(self, values: Vector, outcome: float) -> None:
        """Take in one example; one whose values are extreme counts less."""
        self._scale.learn(values)
        inputs = self._scale.inputs(values)
        expected = self._link(float(self._weights @ inputs))
        error = outcome - expected
        if self.amount:
            self._noise += (min(error * error, 100.0) - self._noise) / min(1_000, self.learned + 2)
            curvature = 1.0 / max(self._noise, 1e-3)
            error *= curvature
        else:
            curvature = max(expected * (1.0 - expected), LEAST_CURVATURE)
        self._attend(inputs)
        rows = self._rows
        inputs = inputs[rows]
        weight = min(1.0, STEP * len(rows) / float(inputs @ inputs))
        moved = self._spread @ inputs
        heard = 1.0 / (weight * curvature) + float(inputs @ moved)
        weights = self._weights[rows] + moved * (error / (curvature * heard))
        self._weights[rows] = np.minimum(np.maximum(weights, -LARGEST), LARGEST)
        # As a product with itself the matrix stays exactly symmetric.
        taken = moved / math.sqrt(heard)
        self._spread -= np.outer(taken, taken)
        self.learned += 1
        if self.learned % EVERY == 0:
            self.doubt(1.0 + EVERY * FADE)
        if not self.amount:
            self._watch(-math.log(max(1e-4, expected if outcome > 0.5 else 1.0 - expected)))

    def _watch(self, loss: float) -> None:
        """Doubt what is known when predictions have become worse than they used to be."""
        self._recent += (loss - self._recent) * max(RECENT, 1 / self.learned)
        self._long += (loss - self._long) * max(LONG, 1 / self.learned)
        if self._recent > self._long + WORSE:
            self.doubt(DOUBT)
            self._long = self._recent

    def doubt(self, factor: float) -> None:
        """Multiply the variances by up to `factor`, the less the nearer they are to the prior's: learn faster."""
        room = np.clip(1.0 - np.diagonal(self._spread) / PRIOR, 0.0, 1.0)
        scale = np.sqrt(1.0 + (factor - 1.0) * room)
        self._spread *= np.outer(scale, scale)

    def dump(self) -> dict[str, Any]:
        """The state as plain numbers, of the inputs that ever were anything but 0."""
        scale = self._scale
        return {
            "learned": self.learned,
            "noise": self._noise,
            "recent": self._recent,
            "long": self._long,
            "weights": {INPUTS[row]: float(self._weights[row]) for row in self._rows},
            "scales": {
                name: [int(scale.count[n]), float(scale.mean[n]), float(scale.var[n])]
                for n, name in enumerate(VALUES)
                if scale.count[n]
            },
            "spread": to_text(self._spread[np.tril_indices(len(self._rows))]),
        }

    @classmethod
    def load(cls, state: object, *, amount: bool = False) -> "Newton":
        """A model from `dump`'s state; raises ValueError for anything else."""
        try:
            held = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an online model's state: {error}") from error
        unknown = (held.weights.keys() - _NUMBER.keys()) | (held.scales.keys() - _VALUE.keys())
        if unknown:
            raise ValueError(f"the online model's state has unknown inputs: {', '.join(sorted(unknown)[:5])}")
        numbers = [
            held.noise,
            held.recent,
            held.long,
            *held.weights.values(),
            *(n for s in held.scales.values() for n in (s.mean, s.var)),
        ]
        if not all(abs(number) <= 1e15 for number in numbers) or any(abs(w) > LARGEST for w in held.weights.values()):
            raise ValueError("the online model's state has numbers that are not finite, or out of range")
        if held.learned < 0 or held.noise < 0 or any(s.count < 1 or s.var < 0 for s in held.scales.values()):
            raise ValueError("the online model's state has a negative count or variance")
        model = cls(amount=amount)
        model.learned, model._noise, model._recent, model._long = held.learned, held.noise, held.recent, held.long
        model._scale_by(held.scales)
        model._rows = np.array([_NUMBER[name] for name in held.weights], dtype=np.intp)
        model._weights[model._rows] = list(held.weights.values())
        model._spread = _covariance(held.spread, len(model._rows))
        return model

    def _attend(self, inputs: Vector) -> None:
        """Make room for inputs that are something for the first time."""
        if np.count_nonzero(inputs) == np.count_nonzero(inputs[self._rows]):
            return
        new = np.setdiff1d(np.flatnonzero(inputs), self._rows)
        held = len(self._rows)
        spread = np.eye(held + len(new)) * PRIOR
        spread[:held, :held] = self._spread
        self._rows, self._spread = np.concatenate((self._rows, new)), spread

    def _link(self, linear: float) -> float:
        if self.amount:
            return linear
        bounded = max(-LOGIT, min(LOGIT, linear))
        return 1.0 / (1.0 + math.exp(-bounded))


def _covariance(text: str, size: int) -> Vector:
    lower = from_text(text, "float64", size * (size + 1) // 2, "covariance", -2 * PRIOR, 2 * PRIOR)
    matrix = np.zeros((size, size))
    matrix[np.tril_indices(size)] = lower
    matrix += np.tril(matrix, -1).T
    try:
        np.linalg.cholesky(matrix + 1e-12 * np.eye(size))
    except np.linalg.LinAlgError as error:
        raise ValueError("the online model's state has a covariance that is none") from error
    return matrix
