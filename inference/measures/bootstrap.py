"""Bootstrap by customers: a customer's cases are alike, so she is drawn with all of them or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from inference.measures.ranking import Array


def draws(customers: Sequence[str], times: int, seed: int) -> Iterator[Array]:
    """Weights of the cases, one array a resample: how often each case's customer was drawn (Efron 1979)."""
    names, whose = np.unique(np.asarray(customers), return_inverse=True)
    chance = np.random.default_rng(seed)
    for _ in range(times):
        drawn = np.bincount(chance.integers(0, len(names), len(names)), minlength=len(names))
        yield drawn[whose].astype(np.float64)


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """The middle `level` of what resamples gave."""
    low, high = np.nanquantile(np.asarray(values), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def compare(
    measures: Mapping[str, Callable[[Array], float]], against: str, customers: Sequence[str], times: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Each measure's interval, and its paired difference from `against`'s over the same resamples.

    `difference` is positive where it is higher than `against`; `p` is the two-sided bootstrap p-value of no difference.
    """
    found: dict[str, list[float]] = {name: [] for name in measures}
    for weights in draws(customers, times, seed):
        for name, measure in measures.items():
            found[name].append(measure(weights))
    told: dict[str, dict[str, Any]] = {}
    for name, values in found.items():
        told[name] = {"interval": interval(values)}
        if against in found and name != against:
            apart = np.asarray(values) - np.asarray(found[against])
            rarer = min(int((apart >= 0).sum()), int((apart <= 0).sum()))
            told[name][f"against_{against}"] = {
                "difference": float(apart.mean()),
                "interval": interval(list(apart)),
                "p": min(1.0, 2 * (rarer + 1) / (times + 1)),
            }
    return told
