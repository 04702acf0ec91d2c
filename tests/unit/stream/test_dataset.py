"""Training examples: what is seen, what is labelled, and what is left out."""

from pathlib import Path

import msgspec
import polars as pl
import pytest

from schemas.behaviours import Behaviour, Event, Line
from schemas.features import DAY_MS
from schemas.outputs import Snapshot
from stream.dataset import Horizons, Labelled, examples, write
from stream.features.engine import Config

START = 1_600_000_000_000 // DAY_MS * DAY_MS
HORIZONS = Horizons(churn=30 * DAY_MS, intent=7 * DAY_MS)


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
    rows = made(order("ann", 0), order("bob", 40), order("ann", 100))
    assert [(r.snapshot.customer, (r.snapshot.at - START) // DAY_MS) for r in rows] == [
        ("ann", 35), ("ann", 45), ("bob", 45), ("ann", 55), ("bob", 55), ("ann", 65), ("bob", 65),
    ]  # fmt: skip


def test_a_cut_off_whose_horizon_is_not_reached_is_left_out() -> None:
    assert made(order("ann", 0), order("ann", 64)) == []


def test_the_file_holds_the_snapshots_themselves(tmp_path: Path) -> None:
    rows = made(order("ann", 0), order("ann", 100))
    assert write(rows, tmp_path / "new" / "examples.parquet") == len(rows)
    table = pl.read_parquet(tmp_path / "new" / "examples.parquet")
    first = msgspec.json.decode(table["snapshot"][0], type=Snapshot)
    assert first.features == rows[0].snapshot.features
    assert table["churn"].to_list() == [row.churn for row in rows]
