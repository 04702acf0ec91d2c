"""Features as the vectors that the learners share: values, and what a second-order additive model makes of them."""

import math
from typing import Any, Final

import numpy as np

from online.encode import CYCLIC, MISSING, OWNERS, PLAIN, Inputs
from schemas.features import NAMES
from schemas.outputs import Features

Vector = np.ndarray[Any, np.dtype[np.float64]]

# Values: the registry's in order, those on a circle as two. Inputs: 1, scaled values, squares, what is missing.
VALUES: Final[tuple[str, ...]] = (*PLAIN, *(f"{name}.{part}" for name in CYCLIC for part in ("sin", "cos")))
SQUARE: Final = "^2"
_SINGLE: Final = len(PLAIN)
INPUTS: Final[tuple[str, ...]] = (
    "",
    *VALUES,
    *(name + SQUARE for name in PLAIN),
    *(name + MISSING for name in NAMES),
)
OWNER: Final[dict[str, str]] = OWNERS | {name + SQUARE: name for name in PLAIN}
SPREAD: Final = 4.0
ABSURD: Final = 8.0
SOBER: Final = 30

_PLAIN: Final = tuple(PLAIN.items())
_CYCLIC: Final = tuple(CYCLIC.items())
# Where each feature's value stands: what is missing there is missing of the feature.
_FIRST: Final = np.array([VALUES.index(name if name in PLAIN else f"{name}.sin") for name in NAMES])


def vector(features: Features) -> Vector:
    """The encoded values, [VALUES]; NaN where a feature is missing (None, absent, not finite)."""
    found = []
    get = features.get
    for name, transform in _PLAIN:
        value = get(name)
        found.append(transform(value) if value is not None and math.isfinite(value) else math.nan)
    for name, step in _CYCLIC:
        value = get(name)
        if value is None or not math.isfinite(value):
            found += (math.nan, math.nan)
        else:
            found += (math.sin(step * value), math.cos(step * value))
    return np.array(found)


def aligned(inputs: Inputs) -> Vector:
    """The same vector as `vector`'s, from features that are encoded already."""
    get = inputs.values.get
    return np.array([get(name, math.nan) for name in VALUES])


class Scale:
    """Running mean and variance of every value, learned from what is not missing (Welford 1962)."""

    def __init__(self) -> None:
        self.count = np.zeros(len(VALUES))
        self.mean = np.zeros(len(VALUES))
        self.var = np.zeros(len(VALUES))
        self._deviations: Vector | None = None

    @classmethod
    def of(cls, count: Vector, mean: Vector, var: Vector) -> "Scale":
        """A scale that has learned these, each [VALUES]."""
        scale = cls()
        scale.count, scale.mean, scale.var = count, mean, var
        return scale

    def learn(self, values: Vector) -> None:
        """Take in one vector; what lies absurdly far from what is known counts as `ABSURD` deviations."""
        known = ~np.isnan(values)
        room = np.where(self.count >= SOBER, ABSURD * np.sqrt(self.var) + 1.0, np.inf)
        values = np.minimum(np.maximum(values, self.mean - room), self.mean + room)
        self._deviations = None
        self.count += known
        share = known / np.maximum(self.count, 1.0)
        moved = np.where(known, values - self.mean, 0.0)
        self.mean += share * moved
        self.var += share * (moved * (np.where(known, values, self.mean) - self.mean) - self.var)

    def __call__(self, values: Vector) -> Vector:
        """Standard deviations from the mean, within `SPREAD`; 0 for what is missing or has never varied."""
        if self._deviations is None:
            # Between two examples it predicts many times. What has never varied is no deviation from anything.
            self._deviations = np.where(self.var > 0.0, np.sqrt(self.var), np.inf)
        found: Vector = (values - self.mean) / self._deviations
        np.clip(found, -SPREAD, SPREAD, out=found)
        found[np.isnan(found)] = 0.0
        return found

    def inputs(self, values: Vector) -> Vector:
        """The inputs, [INPUTS]: a square is centred, so that the average customer's is near 0.

        What has never been there is not missing: only a feature that was seen before can be.
        """
        scaled = self(values)
        missing = np.isnan(values)
        squares = np.where(missing[:_SINGLE], 0.0, 0.5 * (scaled[:_SINGLE] ** 2 - 1.0))
        squares[self.var[:_SINGLE] == 0.0] = 0.0
        return np.concatenate(((1.0,), scaled, squares, (missing & (self.count > 0.0))[_FIRST]))
