"""`footfall evaluate --task alerts`: a year lived through again, and how many of the warned really stopped.

::

    |-- warm-up --|-- marks are chosen --|----- gap -----|-------- measured --------|-- 60 days --|
    0             90                     140             200                        305         365

A warned customer has stopped if she buys nothing in the 60 days after the alert. What the log does not reach 60 days
beyond is left out (censored), and so is the warm-up, while profiles are short and the model has learned little. The
marks are chosen by what was known before the measured part begins: that is the gap. `shipped` are the default marks.

The plain rule warns of everybody who has been silent for 30 days. Its precision does not change when it warns of fewer
by chance, so at any volume it is what it is; beside it stands the stricter rule whose longer silence gives exactly as
few warnings. The lead is how many days before the plain rule an alert came: negative once it would have spoken.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from deploy.evaluate.asked import Asked
from deploy.evaluate.replayed import Replayed
from deploy.evaluate.warnings import Bootstrap, Judged, Warned, between, interval, judge, shares, silent
from online.alerts import Policy, decide
from online.policies.base import Marks, days
from online.said import Said
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.hashing import hash64
from schemas.outputs import Score

if TYPE_CHECKING:
    from rich.console import Console

    from schemas.behaviours import Event

HOUSEHOLDS: Final = 2_469
STOPPED_DAYS: Final = 60
SILENT_DAYS: Final = 30
WARM_UP: Final = 90
CHOSEN: Final = 140
MEASURED: Final = 200
CHURN_KINDS: Final = ("churn_risk", "vip_at_risk")
# What the policies of the churn kinds read.
_READ: Final = (
    "orders_total", "spend_total", "order_value_mean", "gap_mean_days", "overdue", "days_since_order", "orders_90d",
    "hour_share",
)  # fmt: skip
MARKS: Final = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
COOLDOWN_DAYS: Final = 21
# After a month's silence the plain rule speaks as well: then it takes so much more to warn.
LATE: Final = 0.2


class Lived(NamedTuple):
    """What came of living the log through again: scores in order, each customer's orders, and the log's ends."""

    scores: list[Score]
    orders: dict[str, list[int]]
    first: int
    last: int

    def day(self, number: float) -> int:
        """The time (epoch ms) so many days after the log's first event."""
        return self.first + round(number * DAY_MS)


def measure(asked: Asked) -> dict[str, Any]:
    """Live the year through again, choose the marks on its first part, and measure on the rest.

    `limit` is how many households take part, chosen by hash; all by default.
    """
    if asked.source != "completejourney":
        raise OperatorError(f"--source {asked.source}: alerts are measured on completejourney")
    lived = live(asked)
    begin, end = lived.day(MEASURED), lived.last - STOPPED_DAYS * DAY_MS
    high = choose(lived)
    rule = silent(lived.orders, SILENT_DAYS)
    found = {
        "chosen": _judged(between(warnings(lived, _policy(high)), begin, end), lived),
        "shipped": _judged(between(warnings(lived, Policy()), begin, end), lived),
        "silent_30": _judged(between(rule, begin, end), lived),
    }
    churn = {name: [one for one in judged if one.kind in (*CHURN_KINDS, "silent")] for name, judged in found.items()}
    customers = sorted(customer for customer, mine in lived.orders.items() if mine[0] < begin)
    months = len(customers) * (end - begin) / DAY_MS / 30.4375
    boot = Bootstrap(customers, asked.seed)
    plain = boot.precision(churn["silent_30"])
    return {
        **_compared(churn["chosen"], churn["silent_30"], boot, plain),
        "per_customer_month": _each({k: len(churn[k]) / months for k in ("chosen", "silent_30")}),
        "kinds": _kinds(found["chosen"], months),
        "marks": {name: getattr(marks_of(high), name) for name in ("high", "low", "late")},
        "longer_silence": _longer(lived, len(churn["chosen"]), begin, end),
        "shipped": {
            **_compared(churn["shipped"], churn["silent_30"], boot, plain),
            "per_customer_month": round(len(churn["shipped"]) / months, 4),
            "kinds": _kinds(found["shipped"], months),
        },
        "customers": len(customers),
        "days": {"chosen": [WARM_UP, CHOSEN], "measured": [MEASURED, round((end - lived.first) / DAY_MS, 1)]},
        "stopped": f"no purchase within {STOPPED_DAYS} days of the alert",
    }


def live(asked: Asked) -> Lived:
    """The scores of the whole log, by a model that learns churn as it goes."""
    from stream.features.engine import Config

    replayed = Replayed(Config(), days(SILENT_DAYS))
    scores = [_lean(score) for score, _ in replayed.scores(_events(asked))]
    orders = {customer: mine for customer, mine in replayed.orders.items() if mine}
    first, last = min(mine[0] for mine in orders.values()), max(mine[-1] for mine in orders.values())
    if last < first + (MEASURED + STOPPED_DAYS + 1) * DAY_MS:
        raise OperatorError(f"the log is too short: it must reach {STOPPED_DAYS} days beyond its day {MEASURED}")
    return Lived(scores, orders, first, last)


def _events(asked: Asked) -> "Iterator[Event]":
    """The purchases of the households that take part, with a progress bar."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from schemas.decode import decode
    from stream.sources import completejourney

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=asked.quiet, transient=True) as progress:
        task = progress.add_task("living the year through", total=completejourney.count())
        taken: dict[bytes | None, bool] = {}
        for told in completejourney.events():
            progress.advance(task)
            if told.key not in taken:
                taken[told.key] = _takes_part(told.key, asked.limit)
            if taken[told.key]:
                yield decode(told.value, completejourney.CURRENCY)


def _takes_part(key: bytes | None, limit: int | None) -> bool:
    return limit is None or hash64((key or b"").decode()) / 2**63 < limit / HOUSEHOLDS


def _lean(score: Score) -> Score:
    """The score with what the churn kinds read: a year of whole ones would not fit into memory."""
    return replace(score, online=None, features={name: score.features.get(name) for name in _READ})


def warnings(lived: Lived, policy: Policy) -> list[Warned]:
    """Every win-back alert that the decisions give rise to, the held out included: nothing is sent here."""
    said: dict[str, Said] = {}
    found = []
    for score in lived.scores:
        alerts, said[score.customer] = decide(score, "USD", said.get(score.customer, Said()), policy)
        found += [Warned(alert.customer, alert.at, alert.kind) for alert in alerts]
    return found


def choose(lived: Lived) -> float:
    """The lowest high mark with which warnings were no more than the plain rule's and at least as often right.

    In the part that is for choosing: of later scores, and of what came after the gap, nothing is seen.
    """
    begin, end = lived.day(WARM_UP), lived.day(CHOSEN)
    early = lived._replace(scores=[score for score in lived.scores if score.at < end])
    rule = shares(_judged(between(silent(lived.orders, SILENT_DAYS), begin, end), lived))
    for high in MARKS:
        warned = [one for one in between(warnings(early, _policy(high)), begin, end) if one.kind in CHURN_KINDS]
        found = shares(_judged(warned, lived))
        if found.number <= rule.number and (found.precision or 1.0) >= (rule.precision or 0.0):
            return high
    return MARKS[-1]


def marks_of(high: float) -> Marks:
    """The marks that go with a high one."""
    return Marks(high=high, low=round(0.6 * high, 2), cooldown_ms=days(COOLDOWN_DAYS), late=round(high + LATE, 2))


def _policy(high: float) -> Policy:
    return Policy(marks=dict.fromkeys(CHURN_KINDS, marks_of(high)))


def _judged(warned: list[Warned], lived: Lived) -> list[Judged]:
    return judge(warned, lived.orders, STOPPED_DAYS, SILENT_DAYS)


def _longer(lived: Lived, number: int, begin: int, end: int) -> dict[str, Any]:
    """The rule whose silence is as long as gives at most so many warnings: stricter than leaving some out by chance."""
    for silence in range(SILENT_DAYS, 2 * STOPPED_DAYS):
        judged = _judged(between(silent(lived.orders, silence), begin, end), lived)
        if len(judged) <= number:
            break
    of = shares(judged)
    return {"days": silence, "volume": of.number, "precision": _round(of.precision), "lead_days": _round(of.lead)}


def _compared(judged: list[Judged], rule: list[Judged], boot: Bootstrap, plain: Any) -> dict[str, Any]:
    ours, theirs = shares(judged), shares(rule)
    if not judged:
        return {"volume": _each({"footfall": 0, "silent_30": theirs.number})}
    rounds = boot.precision(judged)
    known = plain > 0
    return {
        "precision": _each({"footfall": ours.precision, "silent_30": theirs.precision}),
        "lead_days": _each({"footfall": ours.lead, "silent_30": theirs.lead}),
        "volume": {"footfall": ours.number, "silent_30": theirs.number},
        "times": _round((ours.precision or 0.0) / (theirs.precision or 1.0)),
        "intervals": {
            "precision": {"footfall": interval(rounds), "silent_30": interval(plain)},
            "lead_days": interval(boot.lead(judged)),
            "times": interval(rounds[known] / plain[known]),
        },
    }


def _kinds(judged: list[Judged], months: float) -> dict[str, Any]:
    return {
        kind: {"alerts": of.number, "per_customer_month": _round(of.number / months), "stopped": _round(of.precision)}
        for kind in sorted({one.kind for one in judged})
        for of in (shares([one for one in judged if one.kind == kind]),)
    }


def _each(values: dict[str, Any]) -> dict[str, Any]:
    return {("footfall" if name == "chosen" else name): _round(value) for name, value in values.items()}


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def show(console: "Console", found: dict[str, Any]) -> None:
    """The comparison as a table."""
    from rich.table import Table

    table = Table("", "alerts", "a customer and month", "precision (95 %)", "days before the rule")
    intervals = found["intervals"]
    longer = found["longer_silence"]
    for name, words in (("footfall", "Footfall, marks chosen"), ("silent_30", "silent for 30 days")):
        low, high = intervals["precision"][name]
        table.add_row(
            words,
            f"{found['volume'][name]:,}",
            f"{found['per_customer_month'][name]:.3f}",
            f"{found['precision'][name]:.1%} ({low:.1%} to {high:.1%})",
            f"{found['lead_days'][name]:.1f}",
        )
    table.add_row(
        f"silent for {longer['days']} days", f"{longer['volume']:,}", "", f"{longer['precision']:.1%}",
        f"{longer['lead_days']:.1f}",
    )  # fmt: skip
    console.print(table)
    console.print(f"A customer has stopped: {found['stopped']}. Marks {found['marks']}, chosen before day {MEASURED}.")
