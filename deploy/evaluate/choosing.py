"""Choosing the marks of churn alerts on one part of a lived year, so that they hold in another."""

from typing import Any, Final, NamedTuple

from deploy.evaluate.lived import Lived
from deploy.evaluate.warnings import Bootstrap, Judged, between, judge, shares, silent
from online.alerts import Policy
from online.policies.base import Marks, days

STOPPED_DAYS: Final = 60
SILENT_DAYS: Final = 30
EARLIER_DAYS: Final = 14
CHURN_KINDS: Final = ("churn_risk", "vip_at_risk")
HIGH: Final = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
# After a month's silence the plain rule speaks as well: then it takes so much more to warn. With less, the lead would
# not hold: the model grows surer of the long silent as the year goes, and more and more warnings would be late ones.
LATER: Final = 0.3
LOW: Final = 0.15
COOLDOWN_DAYS: Final = 14
# In so many of the rounds of the bootstrap the marks must do what is wanted: what did by luck would not elsewhere.
SURE: Final = 0.9


class Chosen(NamedTuple):
    """Marks, the right warnings they gave where they were chosen, and how sure it is that they do what is wanted."""

    marks: Marks
    right: int
    sure: float


def choose(lived: Lived, first_day: int, last_day: int, seed: int) -> Chosen:
    """The marks that find most who stop, of those surely as right as the plain rule and two weeks earlier.

    That is: no more warnings than the rule gives, and in `SURE` of the bootstrap's rounds at least its precision at a
    mean lead of `EARLIER_DAYS` or more. Where none are, those that are it most surely. Of scores from `last_day` on
    nothing is seen, and of orders nothing that is not needed to judge the warnings before it.
    """
    begin, end = lived.day(first_day), lived.day(last_day)
    early = lived.until(last_day)
    boot = Bootstrap(sorted(customer for customer, mine in lived.orders.items() if mine[0] < end), seed)
    rule = judged(between(silent(lived.orders, SILENT_DAYS), begin, end), lived)
    plain = boot.precision(rule)
    found = []
    for marks in _grid():
        warned = [one for one in between(early.warnings(policy(marks)), begin, end) if one.kind in CHURN_KINDS]
        if warned and len(warned) <= len(rule):
            ours = judged(warned, lived)
            found.append(Chosen(marks, shares(ours).right, sure(boot, ours, plain)))
    if not found:
        raise ValueError("every mark gives no warning, or more than the rule of silence")
    good = [one for one in found if one.sure >= SURE]
    return max(good, key=lambda one: one.right) if good else max(found, key=lambda one: one.sure)


def sure(boot: Bootstrap, ours: list[Judged], plain: Any) -> float:
    """In what share of the rounds warnings are at least as precise as the rule and `EARLIER_DAYS` earlier."""
    return float(((boot.precision(ours) >= plain) & (boot.lead(ours) >= EARLIER_DAYS)).mean())


def judged(warned: list[Any], lived: Lived) -> list[Judged]:
    """The warnings by what the customers then did."""
    return judge(warned, lived.orders, STOPPED_DAYS, SILENT_DAYS)


def policy(marks: Marks) -> Policy:
    """The shipped policy with these marks for the churn kinds."""
    return Policy(marks=dict.fromkeys(CHURN_KINDS, marks))


def _grid() -> list[Marks]:
    return [
        Marks(high=high, low=round(high - LOW, 2), cooldown_ms=days(COOLDOWN_DAYS), late=round(high + LATER, 2))
        for high in HIGH
    ]
