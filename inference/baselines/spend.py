"""Expected spend by BG/NBD and Gamma-Gamma: the textbook model of who buys how often, dies when, and spends how much.

Source: Fader, Hardie and Lee 2005, "Counting Your Customers" the Easy Way (BG/NBD), Marketing Science 24(2), equations
6 and 10; Fader and Hardie 2013, The Gamma-Gamma Model of Monetary Value, equations 1a and 5.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1, logsumexp

Array = np.ndarray[Any, np.dtype[np.float64]]

# Draws the logs of the parameters softly to 0, as the likelihood of customers who all buy has none of its own.
PENALTY = 1e-3


class Seen(NamedTuple):
    """Of each customer: repeat purchases, days from the first to the last, days since the first, mean value of one."""

    repeats: Array
    recency: Array
    age: Array
    mean: Array


class Spend(NamedTuple):
    """Fitted: r, alpha, a, b of BG/NBD, and p, q, v of Gamma-Gamma."""

    purchases: Array
    money: Array

    def expected(self, seen: Seen, days: float) -> Array:
        """What each customer is expected to spend in the next `days`."""
        return self.expected_purchases(seen, days) * self.expected_mean(seen)

    def expected_purchases(self, seen: Seen, days: float) -> Array:
        """Equation 10: the number of purchases in the next `days`, given what was seen."""
        r, alpha, a, b = self.purchases
        x, tx, age, _ = seen
        z = days / (alpha + age + days)
        grown = ((alpha + age) / (alpha + age + days)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
        dead = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + tx)) ** (r + x), 0.0)
        told: Array = (a + b + x - 1) / (a - 1) * (1 - grown) / (1 + dead)
        return np.maximum(told, 0.0)

    def expected_mean(self, seen: Seen) -> Array:
        """Equation 5: a customer's mean value, drawn towards everybody's the less the fewer purchases she made."""
        p, q, v = self.money
        told: Array = p * (v + seen.repeats * seen.mean) / (p * seen.repeats + q - 1)
        return told


def fit(seen: Seen) -> Spend:
    """The parameters that make what was seen most likely."""
    usual = float(np.mean(seen.age)) or 1.0
    scaled = seen._replace(recency=seen.recency / usual, age=seen.age / usual)
    r, alpha, a, b = _most_likely(lambda p: _purchases(p, scaled), 4)
    paid = (seen.repeats > 0) & (seen.mean > 0)
    if not paid.any():
        return Spend(np.array([r, alpha * usual, a, b]), np.array([1.0, 2.0, float(seen.mean.mean())]))
    level = float(seen.mean[paid].mean())
    p, q, v = _most_likely(lambda one: _money(one, seen.repeats[paid], seen.mean[paid] / level), 3)
    return Spend(np.array([r, alpha * usual, a, b]), np.array([p, max(q, 1.0 + 1e-6), v * level]))


def _most_likely(likelihood: Any, parameters: int) -> Array:
    def cost(logs: Array) -> float:
        value = -float(np.mean(likelihood(np.exp(logs)))) + PENALTY * float(logs @ logs)
        return value if np.isfinite(value) else 1e10

    start = np.full(parameters, 0.1)
    found = minimize(cost, start, method="Nelder-Mead", options={"maxiter": 4000, "maxfev": 4000, "xatol": 1e-5})
    told: Array = np.exp(found.x)
    return told


def _purchases(parameters: Array, seen: Seen) -> Array:
    """Equation 6, in logs."""
    r, alpha, a, b = parameters
    x, tx, age, _ = seen
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
    dead = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + tx)
    told: Array = common + np.where(x > 0, logsumexp(np.stack([alive, dead]), axis=0), alive)
    return told


def _money(parameters: Array, x: Array, mean: Array) -> Array:
    """Equation 1a, in logs."""
    p, q, v = parameters
    told: Array = (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(v)
        + (p * x - 1) * np.log(mean)
        + p * x * np.log(x)
        - (p * x + q) * np.log(x * mean + v)
    )
    return told
