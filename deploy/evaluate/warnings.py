"""Warnings that somebody will stop buying, held against what she then did."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np

from schemas.features import DAY_MS

Orders = Mapping[str, Sequence[int]]


class Warned(NamedTuple):
    """Somebody was warned of at a time (epoch ms), by a kind of alert or a rule."""

    customer: str
    at: int
    kind: str = ""


class Judged(NamedTuple):
    """A warning, whether she had stopped, how many days before the plain rule it came, and after it till her order.

    `back` is infinite where no order followed.
    """

    customer: str
    kind: str
    stopped: bool
    lead: float
    back: float = inf


def judge(warnings: Iterable[Warned], orders: Orders, stopped_days: int, silent_days: int) -> list[Judged]:
    """Each warning by the customer's orders, which are in order of time.

    She has stopped where no order follows within `stopped_days`. The plain rule speaks `silent_days` after her last
    order before the warning: the lead is negative where the warning came later than that.
    """
    judged = []
    for customer, at, kind in warnings:
        mine = orders[customer]
        following = bisect_right(mine, at)
        back = (mine[following] - at) / DAY_MS if following < len(mine) else inf
        lead = (mine[following - 1] + silent_days * DAY_MS - at) / DAY_MS
        judged.append(Judged(customer, kind, back > stopped_days, lead, back))
    return judged


def silent(orders: Orders, days: float) -> list[Warned]:
    """The rule: a warning whenever somebody has been silent for so many days."""
    wait = round(days * DAY_MS)
    return [
        Warned(customer, at + wait, "silent")
        for customer, mine in orders.items()
        for at, following in zip(mine, [*mine[1:], None], strict=True)
        if following is None or following > at + wait
    ]


def between(warnings: Iterable[Warned], begin: int, end: int) -> list[Warned]:
    """Those from `begin` to before `end` (epoch ms)."""
    return [warned for warned in warnings if begin <= warned.at < end]


def lasting(orders: Orders, days: float, begin: int, end: int) -> int:
    """How many silences that begin from `begin` to before `end` (epoch ms) last longer than so many days."""
    wait = days * DAY_MS
    return sum(
        begin <= at < end and (following is None or following > at + wait)
        for mine in orders.values()
        for at, following in zip(mine, [*mine[1:], None], strict=True)
    )


class Shares(NamedTuple):
    """Of some warnings: their number, how many were right, precision and mean lead in days (None without any)."""

    number: int
    right: int
    precision: float | None
    lead: float | None


def shares(judged: Sequence[Judged]) -> Shares:
    """What share of the warned had stopped, and how early the warnings came."""
    if not judged:
        return Shares(0, 0, None, None)
    n, right = len(judged), sum(one.stopped for one in judged)
    return Shares(n, right, right / n, sum(one.lead for one in judged) / n)


class Bootstrap:
    """Resamples customers, the same ones for everything that is compared: a customer's warnings are alike."""

    def __init__(self, customers: Sequence[str], seed: int, rounds: int = 1_000) -> None:
        self._index = {customer: n for n, customer in enumerate(customers)}
        n = len(customers)
        draws = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=rounds)
        self._draws = draws.astype(np.float64)

    def precision(self, judged: Sequence[Judged]) -> Any:
        """The precision in each round."""
        return self._mean(judged, [float(one.stopped) for one in judged])

    def lead(self, judged: Sequence[Judged]) -> Any:
        """The mean lead in each round, in days."""
        return self._mean(judged, [one.lead for one in judged])

    def _mean(self, judged: Sequence[Judged], values: Sequence[float]) -> Any:
        at = np.array([self._index[one.customer] for one in judged], dtype=np.intp)
        size = len(self._index)
        counts = np.bincount(at, minlength=size)
        sums = np.bincount(at, weights=values, minlength=size)
        return (self._draws @ sums) / np.maximum(self._draws @ counts, 1.0)


def interval(rounds: Any) -> list[float]:
    """The middle 95 % of the rounds, to three decimals."""
    return [round(float(end), 3) for end in np.quantile(rounds, (0.025, 0.975))]
