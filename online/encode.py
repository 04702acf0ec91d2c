"""Features as the numbers that a linear model can use."""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from schemas.features import FEATURES
from schemas.outputs import Features

_LOGGED: Final = frozenset({"count", "money", "days", "hours", "minutes", "ratio"})
_CYCLES: Final = {"hour": 24.0, "day": 7.0}
MISSING: Final = "?"


def signed_log(value: float) -> float:
    """log(1 + |value|) with the value's sign: heavy tails become short, and nothing is undefined."""
    return math.copysign(math.log1p(abs(value)), value)


def _bounded(value: float) -> float:
    # Shares, ratings and ratios are small; one absurd value must not make a running variance infinite.
    return max(-1e6, min(1e6, value))


PLAIN: Final[dict[str, Callable[[float], float]]] = {
    f.name: signed_log if f.unit in _LOGGED else _bounded for f in FEATURES if f.unit not in _CYCLES
}
CYCLIC: Final = {f.name: 2 * math.pi / _CYCLES[f.unit] for f in FEATURES if f.unit in _CYCLES}

# Every input that `encode` can give, and the feature that it speaks for: the bound of a model's memory.
OWNERS: Final[dict[str, str]] = (
    {name: name for name in PLAIN}
    | {f"{name}.{part}": name for name in CYCLIC for part in ("sin", "cos")}
    | {f.name + MISSING: f.name for f in FEATURES}
)


class Inputs(NamedTuple):
    """Values to be scaled, and indicators of what is missing."""

    values: dict[str, float]
    missing: dict[str, float]


def encode(features: Features) -> Inputs:
    """The inputs of these features; names outside the registry are ignored.

    A missing value (None, absent, not finite) gives no value, so that it is the mean once scaled, and an
    indicator of 1. Hour and weekday become a point on a circle, so that Sunday is next to Monday.
    """
    values: dict[str, float] = {}
    missing: dict[str, float] = {}
    for name, transform in PLAIN.items():
        value = features.get(name)
        if value is None or not math.isfinite(value):
            missing[name + MISSING] = 1.0
        else:
            values[name] = transform(value)
    for name, step in CYCLIC.items():
        value = features.get(name)
        if value is None or not math.isfinite(value):
            missing[name + MISSING] = 1.0
        else:
            values[f"{name}.sin"] = math.sin(step * value)
            values[f"{name}.cos"] = math.cos(step * value)
    return Inputs(values, missing)
