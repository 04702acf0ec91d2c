"""Measuring alerts: what counts as stopped, how early a warning was, and that nothing sees its future."""

from math import inf

import numpy as np
import pytest

from deploy.evaluate.replayed import Replayed
from deploy.evaluate.warnings import Bootstrap, Judged, Warned, between, interval, judge, lasting, shares, silent
from schemas.behaviours import Behaviour
from schemas.event import Event
from schemas.features import DAY_MS
from schemas.outputs import Score
from stream.features.engine import Config

ORDERS = {"ann": [0, 10 * DAY_MS, 100 * DAY_MS], "bob": [5 * DAY_MS]}


def test_a_warning_is_judged_by_what_she_then_did() -> None:
    warned = [Warned("ann", 24 * DAY_MS), Warned("ann", 45 * DAY_MS), Warned("bob", 5 * DAY_MS)]
    judged = judge(warned, ORDERS, stopped_days=60, silent_days=30)
    # Ann's next order is 76 and 55 days after the two; the rule speaks 30 days after day 10, and after day 5.
    assert [(one.stopped, one.lead) for one in judged] == [(True, 16.0), (False, -5.0), (True, 30.0)]
    assert [one.back for one in judged] == [76.0, 55.0, inf]
    assert tuple(shares(judged)) == pytest.approx((3, 2, 2 / 3, 41 / 3))
    assert tuple(shares([])) == (0, 0, None, None)


def test_the_rule_speaks_once_a_silence() -> None:
    assert silent(ORDERS, 30) == [
        Warned("ann", 40 * DAY_MS, "silent"),
        Warned("ann", 130 * DAY_MS, "silent"),
        Warned("bob", 35 * DAY_MS, "silent"),
    ]
    assert between(silent(ORDERS, 30), 36 * DAY_MS, 130 * DAY_MS) == [Warned("ann", 40 * DAY_MS, "silent")]


def test_a_silence_that_lasts_is_counted_where_it_begins() -> None:
    days = [lasting(ORDERS, 60, begin * DAY_MS, end * DAY_MS) for begin, end in ((0, 6), (6, 100), (10, 10), (0, 200))]
    assert days == [1, 1, 0, 3]


def test_the_bootstrap_draws_customers_and_not_warnings() -> None:
    many = [Judged(f"c{n}", "k", n % 2 == 0, 1.0) for n in range(200)]
    boot = Bootstrap([f"c{n}" for n in range(200)], seed=7)
    low, high = interval(boot.precision(many))
    assert 0.42 < low < 0.45 < 0.55 < high < 0.58
    # Ten times the same warnings are no more customers.
    assert interval(boot.precision(many * 10)) == [low, high]
    assert np.allclose(boot.lead(many), 1.0)


def year(customers: int) -> list[Event]:
    """Everybody orders weekly; every fifth stops for good at some day, the others never."""
    found = []
    for n in range(customers):
        last = 60 + 4 * n if n % 5 == 0 else 400
        found += [(at * DAY_MS + n * 60_000, f"c{n}") for at in range(n % 7, min(last, 330), 7)]
    start = 19_000 * DAY_MS
    return [
        Event(
            customer=customer, at=start + at, behaviour=Behaviour.ORDER, known=True, message=number + 1,
            order=number + 1, amount=1_000, currency="USD",
        )
        for number, (at, customer) in enumerate(sorted(found))
    ]  # fmt: skip


def live(events: list[Event]) -> list[Score]:
    return [score for score, _ in Replayed(Config(), {"churn": 30 * DAY_MS, "intent": 7 * DAY_MS}).scores(events)]


def test_no_score_knows_its_future() -> None:
    events = year(20)
    whole = live(events)
    half = live(events[: len(events) // 2])
    assert len(half) > 200
    assert [(s.id, s.churn) for s in whole[: len(half)]] == [(s.id, s.churn) for s in half]
    assert len({s.churn for s in whole}) > 100, "it learns"
    assert len({s.intent for s in whole}) > 100
    assert (whole[0].models, whole[0].churn) == ({"online": "r0"}, 0.5)
    assert int(whole[-1].models["online"][1:]) > 200
