"""Choosing the marks of alerts, and measuring them, on years whose every silence is known."""

import io
from typing import Any

import orjson
import pytest
from rich.console import Console

from deploy.evaluate.alerts import compare, show
from deploy.evaluate.choosing import Chosen, choose
from deploy.evaluate.lived import Lived
from online.marks import marks_of
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.hashing import hash64
from schemas.outputs import Score

FIRST = 19_000 * DAY_MS
# She orders every third day until a silence begins; who comes back does so after this many days.
PAUSE = 40
# What the model says after two weeks of a silence that lasts, and of a pause.
STOPS, RETURNS = 0.8, 0.25


def score(customer: str, at: int, trigger: str, churn: float, since: float) -> Score:
    return Score(
        id=f"{customer}|{trigger}|{at}", customer=customer, at=at, trigger=trigger, arrived=at, churn=churn, intent=0.2,
        source="online", models={"online": "r9000"}, reasons={}, story="",
        features={"orders_total": 2.0, "days_since_order": since},
    )  # fmt: skip


def year(customers: int = 240, days: int = 365, returns: float = RETURNS) -> Lived:
    """Of three customers whose silences begin on one day, one stops and two come back after `PAUSE` days."""
    scores, orders = [], {}
    for n in range(customers):
        name, begins = f"c{n}", 60 + n // 3 * 3
        stops = n % 3 == 0
        mine = [*range(0, begins + 1, 3), *(() if stops else range(begins + PAUSE, days, 3))]
        orders[name] = [FIRST + day * DAY_MS + n for day in mine if day < days]
        last = FIRST + begins * DAY_MS + n
        scores.append(score(name, last, "order", 0.05, 0.0))
        scores.append(score(name, last + 14 * DAY_MS, "silence_14", STOPS if stops else returns, 14.0))
        scores.append(score(name, last + 30 * DAY_MS, "silence_30", STOPS if stops else returns, 30.0))
    orders["always"] = [FIRST + day * DAY_MS for day in range(days)]
    return Lived(sorted(scores, key=lambda one: one.at), orders, FIRST, FIRST + (days - 1) * DAY_MS)


def chosen(lived: Lived) -> Chosen:
    return choose(lived, 90, 140, seed=7)


def test_the_lowest_mark_that_is_surely_right_is_chosen() -> None:
    found = chosen(year())
    # Below 0.3 those who come back are warned of too, and more often than the rule warns of anybody.
    assert (found.marks.high, found.marks.low, found.sure) == (0.3, 0.15, 1.0)
    # Silences that began on days 78 to 123, every third day, each with one who stops.
    assert found.right == 16


def test_where_no_marks_are_sure_the_surest_are_taken() -> None:
    found = chosen(year(returns=0.95))
    assert found.sure < 0.9
    assert found.marks.high <= STOPS


def test_of_what_comes_after_nothing_is_seen() -> None:
    lived = year()
    later = [one for one in lived.scores if one.at < lived.day(140)]
    unknown = {name: [at for at in mine if at < lived.day(201)] for name, mine in lived.orders.items()}
    assert chosen(Lived(later, unknown, lived.first, lived.last)) == chosen(lived)


def test_no_warning_at_all_is_told() -> None:
    with pytest.raises(ValueError, match="no warning"):
        chosen(year()._replace(scores=[]))


def test_both_ways_of_being_better_are_told() -> None:
    lived = year()
    found = compare(lived, seed=7)
    # The rule speaks on day 30 of silences of three customers each, of whom one stops; Footfall of that one, on day 14.
    assert found["precision"] == {"footfall": 1.0, "silent_30": 0.333}
    assert found["lead_days"] == {"footfall": 16.0, "silent_30": 0.0}
    assert (found["times"], found["intervals"]["lead_days"]) == (3.0, [16.0, 16.0])
    assert found["wanted"] == {
        "twice_as_precise": True, "as_precise_two_weeks_earlier": True, "sure_of_the_second": 1.0
    }  # fmt: skip
    # From day 200 to 304 silences end that began from day 186 (alerts) and 170 (the rule), to 290 and 274.
    assert found["volume"] == {"footfall": 35, "silent_30": 3 * 35}
    assert found["right"] == {"footfall": 35, "silent_30": 35}
    assert found["clairvoyant"] == {"right": 35, "times": 1.0}
    assert found["same_volume"]["longer_silence"] == {"days": PAUSE, "volume": 34, "precision": 1.0, "lead_days": -10.0}
    months = 241 * 104 / 30.4375
    assert found["per_customer_month"]["footfall"] == pytest.approx(35 / months, abs=1e-3)
    assert found["kinds"]["churn_risk"] == {
        "alerts": 35, "per_customer_month": round(35 / months, 3), "no_order_for_a_week": 1.0, "stopped": 1.0
    }  # fmt: skip
    assert found["shipped"]["volume"] == found["volume"]


def test_the_untouched_are_those_nobody_looked_at() -> None:
    looked_at = [f"c{n}" for n in range(240) if hash64(f"c{n}") % 4 == 0]
    assert 40 < len(looked_at) < 80
    lived = year()
    found = compare(lived, seed=7)
    spoilt = {name: [lived.day(0)] if name in looked_at else mine for name, mine in lived.orders.items()}
    assert found["untouched"]["volume"] == compare(lived._replace(orders=spoilt), seed=7)["untouched"]["volume"]
    assert found["untouched"]["volume"]["silent_30"] < found["volume"]["silent_30"]


def test_a_log_too_short_to_judge_is_refused() -> None:
    with pytest.raises(OperatorError, match="too short"):
        compare(year(days=260), seed=7)


def test_the_setting_is_one_and_the_table_shows_both() -> None:
    found = compare(year(), seed=7)
    assert orjson.loads(orjson.dumps(found)) == found
    name, given = found["setting"].split("=", 1)
    assert name == "FOOTFALL_ALERT_MARKS"
    marks: dict[str, dict[str, Any]] = orjson.loads(given.strip("'"))
    assert marks_of(marks)["vip_at_risk"].high == found["marks"]["high"]
    console = Console(width=160, record=True, file=io.StringIO())
    show(console, found)
    show(console, {"volume": {"footfall": 0, "silent_30": 9}})
    shown = console.export_text()
    assert "silent for 40 days" in shown
    assert "Too few warnings" in shown
