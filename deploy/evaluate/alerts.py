"""`footfall evaluate --task alerts`: a year lived through again, and how many of the warned really stopped.

::

    |-- warm-up --|-- marks are chosen --|----- gap -----|-------- measured --------|-- 60 days --|
    0             90                     140             200                        305         365

A warned customer has stopped if she buys nothing in the 60 days after the alert. What the log does not reach 60 days
beyond is left out (censored), and so is the warm-up, while profiles are short and the model has learned little. The
marks are chosen by what was known before the measured part begins: that is the gap. `shipped` are the default marks.
While the policies were made, later days of every fourth household were looked at: `untouched` is measured without them.
The measured part has been looked at twice: marks that let alerts come after a week, and after a month at little more,
were 21.4 % right there, 13.6 days early, and gave way to the present ones, which the first part prefers as well.

The plain rule warns of everybody who has been silent for 30 days. Its precision does not change when it warns of fewer
by chance, so at any volume it is what it is; beside it stands the stricter rule whose longer silence gives exactly as
few warnings. The lead is how many days before the plain rule an alert came: negative once it would have spoken. Who
knew the future would warn at the last order: `clairvoyant` says how many times the rule's precision that is at the
rule's volume, which is what any warning can reach.

These are households that buy food about weekly, so that a week's silence already says something. In an online shop a
month's silence is mostly nothing; its horizon of churn is longer, and its marks are to be chosen on its own log.
"""

import json
from typing import TYPE_CHECKING, Any, Final

from deploy.evaluate.asked import Asked
from deploy.evaluate.choosing import CHURN_KINDS, EARLIER_DAYS, SILENT_DAYS, STOPPED_DAYS, choose, judged, policy, sure
from deploy.evaluate.lived import Lived, live
from deploy.evaluate.warnings import Bootstrap, Judged, between, interval, lasting, shares, silent
from online.alerts import Policy
from online.policies.base import Marks
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.hashing import hash64

if TYPE_CHECKING:
    from rich.console import Console

WARM_UP: Final = 90
CHOSEN: Final = 140
MEASURED: Final = 200
WEEK: Final = 7


def measure(asked: Asked) -> dict[str, Any]:
    """Live the year through again, choose the marks on its first part, and measure on the rest.

    `limit` is how many households take part, chosen by hash; all by default.
    """
    if asked.source != "completejourney":
        raise OperatorError(f"--source {asked.source}: alerts are measured on completejourney")
    return compare(live(asked), asked.seed)


def compare(lived: Lived, seed: int) -> dict[str, Any]:
    """What `measure` answers, of a lived year; raises `OperatorError` if it is too short to judge the warnings."""
    if lived.last < lived.day(MEASURED + STOPPED_DAYS + 1):
        raise OperatorError(f"the log is too short: it must reach {STOPPED_DAYS} days beyond its day {MEASURED}")
    chosen = choose(lived, WARM_UP, CHOSEN, seed)
    begin, end = lived.day(MEASURED), lived.last - STOPPED_DAYS * DAY_MS
    rule = judged(between(silent(lived.orders, SILENT_DAYS), begin, end), lived)
    boot = Bootstrap(sorted(customer for customer, mine in lived.orders.items() if mine[0] < end), seed)
    # Whoever first bought meanwhile has been a customer only since.
    months = sum(max(0, end - max(begin, mine[0])) for mine in lived.orders.values()) / DAY_MS / 30.4375
    found = judged(between(lived.warnings(policy(chosen.marks)), begin, end), lived)
    shipped = judged(between(lived.warnings(Policy()), begin, end), lived)
    churn = _churn(found)
    return {
        **_compared(churn, rule, boot),
        "per_customer_month": {
            "footfall": _round(len(churn) / months),
            "silent_30": _round(len(rule) / months),
            "all_kinds": _round(len(found) / months),
        },
        "same_volume": _same_volume(lived, len(churn), rule, begin, end),
        "clairvoyant": _clairvoyant(lived, rule, begin, end),
        "untouched": _compared([one for one in churn if _new(one)], [one for one in rule if _new(one)], boot),
        "kinds": _kinds(found, months),
        "marks": _marks(chosen.marks),
        "setting": _setting(chosen.marks),
        "chosen": {"right": chosen.right, "sure": _round(chosen.sure)},
        "shipped": {**_compared(_churn(shipped), rule, boot), "kinds": _kinds(shipped, months)},
        "customers": len(lived.orders),
        "days": {"chosen": [WARM_UP, CHOSEN], "measured": [MEASURED, round((end - lived.first) / DAY_MS, 1)]},
        "stopped": f"no purchase within {STOPPED_DAYS} days of the alert",
    }


def _churn(found: list[Judged]) -> list[Judged]:
    return [one for one in found if one.kind in CHURN_KINDS]


def _new(one: Judged) -> bool:
    return hash64(one.customer) % 4 != 0


def _compared(ours: list[Judged], rule: list[Judged], boot: Bootstrap) -> dict[str, Any]:
    """Footfall's warnings beside the rule's; `wanted` says which of the two ways to be better they are."""
    mine, plain = shares(ours), shares(rule)
    counts = {
        "volume": {"footfall": mine.number, "silent_30": plain.number},
        "right": {"footfall": mine.right, "silent_30": plain.right},
    }
    if mine.precision is None or mine.lead is None or not plain.precision:
        return counts
    rounds, others = boot.precision(ours), boot.precision(rule)
    known = others > 0
    return {
        "precision": {"footfall": _round(mine.precision), "silent_30": _round(plain.precision)},
        "lead_days": {"footfall": _round(mine.lead), "silent_30": _round(plain.lead)},
        "times": _round(mine.precision / plain.precision),
        **counts,
        "intervals": {
            "precision": {"footfall": interval(rounds), "silent_30": interval(others)},
            "difference": interval(rounds - others),
            "lead_days": interval(boot.lead(ours)),
            "times": interval(rounds[known] / others[known]),
        },
        "wanted": {
            "twice_as_precise": mine.precision > 2.0 * plain.precision,
            "as_precise_two_weeks_earlier": mine.precision >= plain.precision and mine.lead >= EARLIER_DAYS,
            "sure_of_the_second": _round(sure(boot, ours, others)),
        },
    }


def _same_volume(lived: Lived, number: int, rule: list[Judged], begin: int, end: int) -> dict[str, Any]:
    """Ways to warn of about so few without a model: leaving some out by chance, or waiting for a longer silence."""
    found = {"volume": number, "by_chance": {"precision": _round(shares(rule).precision), "lead_days": 0.0}}
    for silence in range(SILENT_DAYS, 2 * STOPPED_DAYS):
        stricter = shares(judged(between(silent(lived.orders, silence), begin, end), lived))
        if stricter.number <= number:
            break
    return found | {
        "longer_silence": {
            "days": silence,
            "volume": stricter.number,
            "precision": _round(stricter.precision),
            "lead_days": _round(stricter.lead),
        }
    }


def _clairvoyant(lived: Lived, rule: list[Judged], begin: int, end: int) -> dict[str, Any]:
    """Who warns at the last order of a silence in which the rule could speak here, and only of those that last."""
    ago = SILENT_DAYS * DAY_MS
    right = lasting(lived.orders, STOPPED_DAYS, begin - ago, end - ago)
    return {"right": right, "times": _round(right / max(1, shares(rule).right))}


def _kinds(found: list[Judged], months: float) -> dict[str, Any]:
    """Each kind's alerts, and of how many customers nothing was seen for a week, and for the days of stopping."""
    return {
        kind: {
            "alerts": len(mine),
            "per_customer_month": _round(len(mine) / months),
            "no_order_for_a_week": _round(sum(one.back > WEEK for one in mine) / len(mine)),
            "stopped": _round(shares(mine).precision),
        }
        for kind in sorted({one.kind for one in found})
        for mine in ([one for one in found if one.kind == kind],)
    }


def _marks(marks: Marks) -> dict[str, Any]:
    return {"high": marks.high, "low": marks.low, "late": marks.late, "cooldown_days": marks.cooldown_ms // DAY_MS}


def _setting(marks: Marks) -> str:
    return f"FOOTFALL_ALERT_MARKS='{json.dumps(dict.fromkeys(CHURN_KINDS, _marks(marks)))}'"


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def show(console: "Console", found: dict[str, Any]) -> None:
    """The comparison as a table."""
    from rich.table import Table

    if "precision" not in found:
        console.print(f"Too few warnings to compare: {found['volume']}.")
        return
    table = Table("", "alerts", "a customer and month", "precision (95 %)", "days before the rule")
    for name, words in (("footfall", "Footfall, marks chosen"), ("silent_30", "silent for 30 days")):
        low, high = found["intervals"]["precision"][name]
        table.add_row(
            words,
            f"{found['volume'][name]:,}",
            f"{found['per_customer_month'][name]:.3f}",
            f"{found['precision'][name]:.1%} ({low:.1%} to {high:.1%})",
            f"{found['lead_days'][name]:.1f}",
        )
    longer = found["same_volume"]["longer_silence"]
    table.add_row(
        f"silent for {longer['days']} days", f"{longer['volume']:,}", "", f"{longer['precision']:.1%}",
        f"{longer['lead_days']:.1f}",
    )  # fmt: skip
    console.print(table)
    console.print(f"A customer has stopped: {found['stopped']}. Chosen before day {MEASURED}: {found['setting']}")
