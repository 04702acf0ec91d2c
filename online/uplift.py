"""What alerts change: purchases of those who got one against those of the held out, joined as decisions are made.

A customer's arm is drawn by hash, so that the two differ in nothing else. Per customer and kind one window is open at
a time: it begins with a decision (sent or held out), lasts the horizon, and notes whether she ordered in it.

::

    decision      order                     horizon's end: counted, bought or not
    ---|------------o------------------------|----->
        decisions in an open window are part of what the first one began

A window counts once its whole horizon is past, whether she bought or not: counting a purchase as it happens and its
absence only later would make every effect look larger than it is.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec import Struct

Z: Final = 1.959963984540054


class Arm(Struct, array_like=True, frozen=True):
    """Windows that are over, and in how many of them she bought."""

    windows: int = 0
    bought: int = 0

    def __add__(self, other: "Arm") -> "Arm":
        return Arm(self.windows + other.windows, self.bought + other.bought)


NONE: Final = Arm()


class Trial(Struct, array_like=True, frozen=True):
    """One customer's windows of one kind: the open one, which ends at `until` (-1: none), and those that are over."""

    until: int = -1
    held: bool = False
    bought: bool = False
    treated: Arm = NONE
    holdout: Arm = NONE

    def closed(self, now: int) -> "Trial":
        """With the open window counted if it is over by `now` (epoch ms)."""
        if self.until < 0 or now <= self.until:
            return self
        one = Arm(1, int(self.bought))
        if self.held:
            return Trial(treated=self.treated, holdout=self.holdout + one)
        return Trial(treated=self.treated + one, holdout=self.holdout)

    def decided(self, at: int, horizon: int, *, held: bool) -> "Trial":
        """After a decision: it opens a window unless one is open."""
        closed = self.closed(at)
        if closed.until >= 0:
            return closed
        return Trial(at + horizon, held, treated=closed.treated, holdout=closed.holdout)

    def ordered(self, at: int) -> "Trial":
        """After an order: whoever bought in the open window did."""
        if at > self.until or self.bought:
            return self
        return Trial(self.until, self.held, True, self.treated, self.holdout)


class Tally:
    """Windows that are over and those in which was bought, by kind and arm, kept up as customers' trials change."""

    def __init__(self) -> None:
        self.windows: Counter[tuple[str, str]] = Counter()
        self.bought: Counter[tuple[str, str]] = Counter()

    def change(self, before: Mapping[str, Trial], after: Mapping[str, Trial]) -> None:
        """One customer's trials were `before` and are `after`."""
        for trials, sign in ((before, -1), (after, 1)):
            for kind, trial in trials.items():
                for name, arm in (("treatment", trial.treated), ("holdout", trial.holdout)):
                    self.windows[kind, name] += sign * arm.windows
                    self.bought[kind, name] += sign * arm.bought


class Effect(NamedTuple):
    """One kind's effect: in each arm windows and share that bought; the difference with its 95 % interval.

    `uplift`, `low` and `high` are None where an arm has fewer than two customers.
    """

    treated: int
    treated_share: float | None
    holdout: int
    holdout_share: float | None
    uplift: float | None
    low: float | None
    high: float | None


def effect(trials: Iterable[Trial], now: int) -> Effect:
    """The effect over customers, one trial each; windows that are over by `now` count.

    Newcombe's hybrid score interval (1998, method 10) for a difference of shares, on effective sizes: a customer's
    windows are alike, and it is customers that were drawn.
    """
    closed = [trial.closed(now) for trial in trials]
    treated = [trial.treated for trial in closed if trial.treated.windows]
    holdout = [trial.holdout for trial in closed if trial.holdout.windows]
    one, other = sum(treated, NONE), sum(holdout, NONE)
    shares = [arm.bought / arm.windows if arm.windows else None for arm in (one, other)]
    if shares[0] is None or shares[1] is None or min(len(treated), len(holdout)) < 2:
        return Effect(one.windows, shares[0], other.windows, shares[1], None, None, None)
    uplift = shares[0] - shares[1]
    low, high = _wilson(shares[0], _effective(treated, shares[0]))
    other_low, other_high = _wilson(shares[1], _effective(holdout, shares[1]))
    return Effect(
        one.windows,
        shares[0],
        other.windows,
        shares[1],
        uplift,
        uplift - math.hypot(shares[0] - low, other_high - shares[1]),
        uplift + math.hypot(high - shares[0], shares[1] - other_low),
    )


def _effective(customers: list[Arm], share: float) -> float:
    """So many independent windows say as much about the share as these customers' do (Kish's design effect)."""
    windows = sum(arm.windows for arm in customers)
    independent = share * (1.0 - share) / windows
    if not independent:
        return float(len(customers))
    n = len(customers)
    spread = sum((arm.bought - share * arm.windows) ** 2 for arm in customers)
    clustered = n / (n - 1) * spread / windows**2
    return windows / max(1.0, clustered / independent)


def _wilson(share: float, n: float) -> tuple[float, float]:
    centre = share + Z * Z / (2 * n)
    half = Z * math.sqrt(share * (1.0 - share) / n + Z * Z / (4 * n * n))
    scale = 1.0 + Z * Z / n
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
