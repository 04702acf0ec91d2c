"""The teacher: it says chances, of whom it has not learned from, and leaves everything else alone."""

import random

import numpy as np
import pytest

from inference.train.examples import Row
from inference.train.teach import taught
from schemas.features import DAY_MS
from schemas.outputs import Snapshot

HEADS = ("churn", "intent", "sentiment")


def row(customer: int, orders: float) -> Row:
    return Row(
        Snapshot(
            id=f"{customer}-{orders}",
            customer=f"c{customer}",
            at=DAY_MS,
            trigger="",
            arrived=0,
            features={"orders_90d": orders, "days_since_order": 40.0 - orders},
            story=[],
        )
    )


@pytest.fixture(scope="module")
def given() -> tuple[list[Row], np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """Customers of whom those with many orders come again in three of four cases; of the last hundred nobody knows."""
    chance = random.Random(3)
    rows = [row(n % 300, float(chance.randrange(10))) for n in range(1500)]
    labels = np.full((1500, 3), np.nan, np.float32)
    for n, one in enumerate(rows):
        assert one.snapshot is not None
        often = (one.snapshot.features["orders_90d"] or 0) > 4
        labels[n, 1] = chance.random() < (0.75 if often else 0.25)
    labels[-100:, 1] = np.nan
    return rows, labels


def test_the_teacher_says_the_chance_and_the_label_keeps_its_share(given) -> None:  # type: ignore[no-untyped-def]
    rows, labels = given
    found = taught(rows, labels, HEADS, 0.5, 7)
    known = ~np.isnan(labels[:, 1])
    chances = 2 * found[known, 1] - labels[known, 1]
    often = np.array([(one.snapshot.features["orders_90d"] or 0) > 4 for one in rows if one.snapshot])[known]
    assert chances[often].mean() == pytest.approx(0.75, abs=0.06)
    assert chances[~often].mean() == pytest.approx(0.25, abs=0.06)


def test_where_nobody_knows_the_teacher_speaks_alone(given) -> None:  # type: ignore[no-untyped-def]
    rows, labels = given
    found = taught(rows, labels, HEADS, 0.5, 7)
    assert ((found[-100:, 1] > 0) & (found[-100:, 1] < 1)).all()
    # Of a head that has no labels there is nobody to learn from, and reviews are not the teacher's.
    assert np.isnan(found[:, [0, 2]]).all()


def test_an_examples_own_label_does_not_come_back_to_it(given) -> None:  # type: ignore[no-untyped-def]
    rows, labels = given
    other = labels.copy()
    whose = [n for n, one in enumerate(rows) if one.snapshot is not None and one.snapshot.customer == "c7"]
    other[whose, 1] = 1 - other[whose, 1]
    kept = [n for n in whose if not np.isnan(labels[n, 1])]
    before, after = (taught(rows, told, HEADS, 0.5, 7)[kept, 1] - told[kept, 1] / 2 for told in (labels, other))
    assert before == pytest.approx(after)


def test_reviews_and_too_few_labels_stay_as_they_are() -> None:
    rows = [row(n, float(n % 3)) for n in range(60)] + [Row(None, "broken")]
    labels = np.full((61, 3), np.nan, np.float32)
    labels[:60, 1] = np.arange(60) % 2
    labels[60, 2] = 0
    assert np.array_equal(taught(rows, labels, HEADS, 0.5, 7), labels, equal_nan=True)
