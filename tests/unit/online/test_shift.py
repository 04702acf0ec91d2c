"""Shifts of the distributions: a seeded one is told within a day, a quiet stream tells of none."""

import random

import pytest

from online.shift import LEAST, Shift, Shifts
from schemas.features import DAY_MS
from schemas.outputs import Features

DAY = 400


def customer(rng: random.Random, *, prices: float = 1.0, app: float = 0.3, busy: float = 1.0) -> Features:
    orders = sum(rng.random() < 0.3 * busy for _ in range(10))
    return {
        "orders_30d": float(orders),
        "spend_30d": sum(prices * rng.lognormvariate(3.5, 0.8) for _ in range(orders)),
        "order_value_last": prices * rng.lognormvariate(3.5, 0.8) if orders else None,
        "days_since_order": rng.expovariate(busy / 12) if orders else None,
        "mobile_share": float(rng.random() < app),
        "views_7d": float(rng.randrange(20)),
        "tenure_days": 500.0 * rng.random(),
    }


def follow(seed: int, days: int, change: int | None = None, **how: float) -> dict[int, list[Shift]]:
    """The shifts by the day at whose end they were told."""
    rng = random.Random(seed)
    shifts, found = Shifts(), {}
    for day in range(days):
        for n in range(DAY):
            snapshot = customer(rng, **(how if change is not None and day >= change else {}))
            told = shifts.learn_one(snapshot, day * DAY_MS + n * (DAY_MS // DAY))
            if told:
                found[day - 1] = told
    return found


def alarms(found: dict[int, list[Shift]]) -> dict[int, set[str]]:
    return {day: names for day, told in found.items() if (names := {s.feature for s in told if s.alarm})}


@pytest.mark.parametrize("seed", range(2))
def test_a_quiet_month_raises_no_alarm(seed: int) -> None:
    assert alarms(follow(seed, 30)) == {}


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"prices": 2.0}, {"order_value_last"}),
        ({"app": 0.7}, {"mobile_share"}),
        ({"busy": 2.2}, {"orders_30d", "spend_30d"}),
    ],
    ids=["prices double", "a new channel", "a holiday"],
)
def test_a_shift_is_told_once_at_the_end_of_its_first_day(how: dict[str, float], named: set[str]) -> None:
    found = alarms(follow(1, 14, 10, **how))
    assert set(found) == {10}
    assert named <= found[10]
    assert not {"views_7d", "tenure_days"} & found[10]


def test_what_lasts_becomes_usual_and_turning_back_is_a_shift_again() -> None:
    rng = random.Random(4)
    shifts, told = Shifts(), []
    for day in range(46):
        for n in range(DAY):
            app = 0.7 if 10 <= day < 40 else 0.3
            found = shifts.learn_one(customer(rng, app=app), day * DAY_MS + n * (DAY_MS // DAY))
            told += [day - 1 for shift in found if shift.alarm and shift.feature == "mobile_share"]
    assert told == [10, 40]


def test_a_window_waits_for_enough_snapshots() -> None:
    shifts, rng = Shifts(), random.Random(1)
    told = [shifts.learn_one(customer(rng), day * DAY_MS) for day in range(4 * LEAST + 2)]
    assert [n for n, found in enumerate(told) if found] == [4 * LEAST]
