"""Reading example files, and splitting them by time so that no label of one part reaches into the next."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.outputs import Snapshot

COLUMNS = {"id", "customer", "at", "snapshot", "churn", "intent"}


class Row(Struct, frozen=True):
    """One example: the snapshot as the engine took it, and what the customer did within each horizon."""

    snapshot: Snapshot
    churn: bool
    intent: bool


class Split(NamedTuple):
    """The three parts as tables, ascending in time."""

    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame


def load(path: Path) -> pl.DataFrame:
    """The table of an example file (see `stream.dataset`), ordered by time and id; `OperatorError` if it is none."""
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OperatorError(f"{path} is no example file ({error})") from error
    if missing := COLUMNS - set(table.columns):
        raise OperatorError(f"{path} lacks the column `{min(missing)}`: make it with `footfall train --source`")
    return table.sort("at", "id")


def split(table: pl.DataFrame, horizon_days: int, test: float = 0.2, validation: float = 0.1) -> Split:
    """The last `test` of the time is for testing, `validation` of it before that for early stopping.

    A gap of one horizon before each: a label looks that far ahead, so what lies in the gap would have been learned from
    days that are tested.

    ::

        |------ train ------|- gap -|- validation -|- gap -|------ test ------|
    """
    first, last = int(table["at"][0]), int(table["at"][-1])
    gap = horizon_days * DAY_MS
    test_from = last - round((last - first) * test)
    validation_to = test_from - gap
    validation_from = validation_to - round((last - first) * validation)
    at = pl.col("at")
    parts = Split(
        table.filter(at <= validation_from - gap),
        table.filter(at >= validation_from, at <= validation_to),
        table.filter(at >= test_from),
    )
    for name, part in parts._asdict().items():
        if part.height == 0 or part["churn"].n_unique() < 2 or part["intent"].n_unique() < 2:
            raise OperatorError(f"too little data: no customer, or all alike, in the {name} part; give a longer log")
    return parts


def rows(table: pl.DataFrame, most: int, seed: int) -> list[Row]:
    """Up to `most` rows, drawn with the seed, in the table's order."""
    if table.height > most:
        table = table.with_row_index("n").sample(most, seed=seed).sort("n")
    decode = msgspec.json.Decoder(Snapshot).decode
    columns = (table["snapshot"], table["churn"], table["intent"])
    return [Row(decode(snapshot), churn, intent) for snapshot, churn, intent in zip(*columns, strict=True)]
