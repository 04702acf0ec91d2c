"""The online model in an evaluation knows what it would have known live, and nothing sooner."""

import random
from pathlib import Path

import pytest

from deploy.evaluate.asked import Asked
from deploy.evaluate.cases import gather
from deploy.evaluate.disturb import DISTURBANCES
from deploy.evaluate.progressive import progressive
from deploy.evaluate.slices import slices
from inference.train.examples import Row
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Moment, Snapshot
from stream.dataset import Labelled, table, write


def row(customer: str, day: int, orders: float, *, intent: bool) -> Row:
    story = [Moment(day * DAY_MS - n, Behaviour.ORDER, category=f"c{n}") for n in range(5, 0, -1)]
    features: dict[str, float | None] = {"orders_30d": orders, "orders_total": orders, "days_since_order": 40 - orders}
    snapshot = Snapshot(
        id=f"{customer}-{day}",
        customer=customer,
        at=day * DAY_MS,
        trigger="",
        arrived=0,
        features=features,
        story=story,
    )
    return Row(snapshot, intent=intent)


def rows(days: range) -> list[Row]:
    return [row(str(n), day, float(n % 2 * 8 + 1), intent=n % 2 == 1) for day in days for n in range(40)]


def test_a_label_is_learned_once_its_horizon_is_over() -> None:
    given = rows(range(0, 60, 10))
    online, ensemble = progressive(given, [None] * len(given), "intent", 30, lambda _: None)
    by_day = online.reshape(6, 40)
    # Nothing has matured before day 30: everybody is at the middle.
    assert (by_day[:3] == 0.5).all()
    assert (by_day[3:, 1] > by_day[3:, 0]).all()
    # Without BERT the ensemble is the online model.
    assert (ensemble == online).all()


def test_a_label_changes_nothing_before_it_is_known() -> None:
    given = rows(range(0, 60, 10))
    other = [
        Row(one.snapshot, intent=not one.intent) if one.snapshot and one.snapshot.at == 20 * DAY_MS else one
        for one in given
    ]
    first, second = (progressive(some, [0.6] * len(given), "intent", 30, lambda _: None) for some in (given, other))
    for before, after in zip(first, second, strict=True):
        assert (before[:200] == after[:200]).all()
    assert (first[0][200:] != second[0][200:]).any()


def test_each_customer_is_in_one_stage() -> None:
    given = [row("a", 1, 1.0, intent=True), row("b", 1, 9.0, intent=True), row("c", 1, 20.0, intent=True)]
    stages = slices(given, "other")["customer"]
    assert [name for n in range(3) for name, mask in stages.items() if mask[n]] == ["new", "lapsed", "regular"]


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_is_the_same_for_the_same_seed_and_disturbs(name: str) -> None:
    snapshot = row("a", 1, 5.0, intent=True).snapshot
    assert snapshot is not None
    disturbed = [DISTURBANCES[name](snapshot, random.Random(seed)) for seed in (3, 3)]
    assert disturbed[0] == disturbed[1]
    assert any(DISTURBANCES[name](snapshot, random.Random(seed)) != snapshot for seed in range(9))
    assert disturbed[0].customer == "a"


def test_labels_that_become_known_during_the_test_are_late(tmp_path: Path) -> None:
    """Of 300 days the last fifth is tested, from day 240; who was asked on day 220 about 30 days is known by 250."""
    chance = random.Random(5)
    labelled = [
        Labelled(one.snapshot, churn=chance.random() < 0.5, intent=chance.random() < 0.5, value=None)
        for one in (row(str(n), day, 3.0, intent=True) for day in range(0, 301, 10) for n in range(40, 60))
        if one.snapshot is not None
    ]
    write(table(labelled), tmp_path / "examples.parquet")
    cases = gather(Asked("churn", str(tmp_path / "examples.parquet"), quiet=True))
    assert max(days(cases.train)) == 210
    assert days(cases.late) == {220, 230}
    assert min(days(cases.test)) == 240


def days(given: list[Row]) -> set[int]:
    return {one.snapshot.at // DAY_MS for one in given if one.snapshot is not None}
