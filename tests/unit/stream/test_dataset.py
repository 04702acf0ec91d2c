"""Training examples: what is seen, what is labelled, and what is left out."""

from pathlib import Path

import msgspec
import polars as pl
import pytest

from schemas.behaviours import Behaviour
from schemas.event import Event, Line
from schemas.features import DAY_MS
from schemas.outputs import Example, Snapshot
from stream.dataset import Horizons, Labelled, examples, served, table, write
from stream.features.engine import Config

START = 1_600_000_000_000 // DAY_MS * DAY_MS
HORIZONS = Horizons(churn=30 * DAY_MS, intent=7 * DAY_MS, value=90 * DAY_MS)


def order(customer: str, day: float) -> Event:
    """An order of a customer on a day after the start."""
    number = hash((customer, day)) & 0x7FFF_FFFF
    return Event(
        behaviour=Behaviour.ORDER,
        at=START + round(day * DAY_MS),
        customer=customer,
        message=number,
        order=number,
        lines=(Line("milk", 1, 250, "dairy"),),
        amount=250,
        currency="USD",
    )


def made(*events: Event, every: int = 10, warm_up: int = 35) -> list[Labelled]:
    ordered = sorted(events, key=lambda event: event.at)
    return list(examples(ordered, HORIZONS, Config(), every * DAY_MS, warm_up * DAY_MS))


@pytest.mark.parametrize(
    ("following", "churn", "intent"),
    [(35.0, False, True), (41.9, False, True), (42.0, False, False), (64.9, False, False), (65.0, True, False)],
)
def test_labels_by_the_next_order(following: float, churn: bool, intent: bool) -> None:
    """``0 --- 35 = cut-off --- 42 = intent's end --- 65 = churn's end``: a horizon holds its start, not its end."""
    rows = made(order("ann", 0), order("ann", following), order("bob", 200), every=1000)
    (ann,) = [row for row in rows if row.snapshot.customer == "ann"]
    assert (ann.churn, ann.intent) == (churn, intent)


def test_a_snapshot_knows_nothing_of_what_follows() -> None:
    before = made(order("ann", 0), order("ann", 10), order("bob", 200), every=1000)[0].snapshot
    after = made(order("ann", 0), order("ann", 10), order("ann", 35), order("bob", 200), every=1000)[0].snapshot
    assert before == after
    assert before.at == START + 35 * DAY_MS
    assert before.features["orders_90d"] == 2
    assert len(before.story) == 2


def test_only_customers_seen_so_far() -> None:
    made_of = made(order("ann", 0), order("bob", 40), order("ann", 100))
    rows = [row for row in made_of if row.churn is not None]
    assert [(r.snapshot.customer, (r.snapshot.at - START) // DAY_MS) for r in rows] == [
        ("ann", 35), ("ann", 45), ("bob", 45), ("ann", 55), ("bob", 55), ("ann", 65), ("bob", 65),
    ]  # fmt: skip


def test_a_label_beyond_the_log_is_not_known() -> None:
    """``0 --- 35 = cut-off --- 42 = intent's end --- 64 = end of log --- 65 = churn's end``: even of who ordered."""
    (ann,) = made(order("ann", 0), order("ann", 36), order("ann", 64), every=1000)
    assert (ann.churn, ann.intent, ann.value) == (None, True, None)


def test_value_is_what_is_spent_within_its_horizon() -> None:
    days = (0, 35, 50, 124.9, 125, 300)
    (ann,) = made(*(order("ann", day) for day in days), every=1000)
    assert ann.value == 3 * 2.5


def test_the_file_holds_the_snapshots_themselves(tmp_path: Path) -> None:
    rows = made(order("ann", 0), order("ann", 100))
    write(table(rows), tmp_path / "new" / "examples.parquet")
    read = pl.read_parquet(tmp_path / "new" / "examples.parquet")
    first = msgspec.json.decode(read["snapshot"][0], type=Snapshot)
    assert first.features == rows[0].snapshot.features
    assert read["churn"].to_list() == [row.churn for row in rows]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["examples.parquet"]


def test_served_examples_of_one_prediction_are_one_row() -> None:
    def example(target: str, label: bool, amount: float | None = None, at: int = 5) -> Example:
        return Example(
            id=target,
            customer="ann",
            at=at,
            matured=9,
            target=target,
            label=label,
            amount=amount,
            features={"overdue": 2.0},
            story="[overdue=1] 3d bought [sic] milk 4",
            served=0.5,
            bert=None,
            online=0.5,
        )

    first, second = served([example("intent", True), example("value", True, 12.5), example("churn", True, at=6)])
    assert (first.churn, first.intent, first.value) == (None, True, 12.5)
    assert (second.churn, second.intent, second.value) == (True, None, None)
    assert first.text == "3d bought [sic] milk 4"
    assert first.snapshot.features == {"overdue": 2.0}
