"""Reading example files, and splitting them so that no label of one part reaches into the next."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import polars as pl
from msgspec import Struct

from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.hashing import hash64
from schemas.outputs import Snapshot

LABELS: Final = ("churn", "intent", "value", "sentiment")
COLUMNS: Final = ("id", "customer", "at", "snapshot", "text", *LABELS)

# One customer in so many validates, where customers do.
CUSTOMERS: Final = 20


class Row(Struct, frozen=True):
    """One example: the snapshot as the engine took it, and what is known of what the customer did then.

    `text` stands in place of the snapshot's own story where only that was kept: a review's words, or a story as it was
    served. `value` is what was spent, in the main unit. A label that nobody knows is None.
    """

    snapshot: Snapshot | None
    text: str | None = None
    churn: bool | None = None
    intent: bool | None = None
    value: float | None = None
    sentiment: bool | None = None


class Split(NamedTuple):
    """The parts as tables, ascending in time; `unlabelled` is what only its text can be learned from."""

    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    unlabelled: pl.DataFrame


def load(paths: Iterable[Path]) -> pl.DataFrame:
    """The examples of files that `footfall dataset` made, ordered by time and id; `OperatorError` if one is none."""
    tables = []
    for path in paths:
        try:
            table = pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise OperatorError(f"{path} is no example file ({error})") from error
        if missing := set(COLUMNS) - set(table.columns):
            raise OperatorError(f"{path} lacks the column `{min(missing)}`: make it with `footfall dataset`")
        tables.append(table.select(COLUMNS))
    return pl.concat(tables).sort("at", "id")


def split(
    table: pl.DataFrame, horizons: Mapping[str, int], test: float = 0.2, validation: float = 0.1, *, by: str = "time"
) -> Split:
    """The last `test` of the time of the labelled stories is for testing, `validation` of it before that to stop early.

    A label looks `horizons` days ahead. One that reaches into the part after its own is blotted out, so that each
    label has a gap of its own horizon; and validation begins a horizon, of the longest but value's, before the test.
    Where the days just before the test are too dear to go unlearned, `by="customers"` validates on a twentieth of the
    customers instead, chosen by hash, whom training then never sees, and trains on the others up to the test.

    ::

        |------ train ------|- gap -|- validation -|- gap -|------ test ------|- not labelled -

    Reviews have no time: they are dealt by their words' hash.
    """
    reviews = table.filter(pl.col("snapshot").is_null())
    stories = table.filter(pl.col("snapshot").is_not_null())
    dealt = _dealt(reviews["text"], 10)
    parts = _by_time(stories, horizons, test, validation, by)
    told = Split(
        pl.concat([parts.train, reviews.filter(dealt > 2)]),
        pl.concat([parts.validation, reviews.filter(dealt == 2)]),
        pl.concat([parts.test, reviews.filter(dealt < 2)]),
        parts.unlabelled,
    )
    for name, part in list(told._asdict().items())[:3]:
        for head in heads(told.test):
            # Validation may be too near to the test to know what will be spent.
            if not known(part, head) and (name, head) != ("validation", "value"):
                raise OperatorError(f"too little data: nothing, or all alike, of {head} in the {name} part; give more")
    return told


def heads(table: pl.DataFrame) -> tuple[str, ...]:
    """What can be learned from these examples: the labels that are there and not all alike."""
    return tuple(head for head in LABELS if known(table, head))


def known(table: pl.DataFrame, head: str) -> bool:
    """Whether the label is there, and not always the same."""
    return table[head].drop_nulls().n_unique() > 1


def latest(parts: Split, horizons: Mapping[str, int], days: int) -> pl.DataFrame:
    """Stories of the training and the validation part with the labels that became known in the last `days` only."""
    known = pl.concat([parts.train, parts.validation]).filter(pl.col("snapshot").is_not_null())
    ended = {head: pl.col("at") + ahead * DAY_MS for head, ahead in horizons.items()}
    last = known.select(
        pl.max_horizontal([pl.when(pl.col(head).is_not_null()).then(at).max() for head, at in ended.items()])
    )
    if not known.height or last.item() is None:
        return known.clear()
    since = int(last.item()) - days * DAY_MS
    told = known.with_columns(pl.when(at > since).then(pl.col(head)).alias(head) for head, at in ended.items())
    return told.filter(pl.any_horizontal(pl.col(*ended).is_not_null())).sort("at", "id")


def rows(table: pl.DataFrame, most: int | None, seed: int) -> list[Row]:
    """Up to `most` rows, drawn with the seed, in the table's order."""
    if most is not None and table.height > most:
        table = table.with_row_index("n").sample(most, seed=seed).sort("n")
    decode = msgspec.json.Decoder(Snapshot).decode
    columns = table.select("snapshot", "text", *LABELS).iter_rows()
    return [Row(None if snapshot is None else decode(snapshot), *rest) for snapshot, *rest in columns]


def _by_time(table: pl.DataFrame, horizons: Mapping[str, int], test: float, validation: float, by: str) -> Split:
    at = pl.col("at")
    labelled = table.filter(pl.any_horizontal(pl.col("churn", "intent").is_not_null()))
    if not labelled.height:
        return Split(table, table.clear(), table.clear(), table.clear())
    churned = labelled.filter(pl.col("churn").is_not_null())
    timed = churned if churned.height else labelled
    first, last = int(timed["at"][0]), int(timed["at"][-1])
    gap = DAY_MS * max(days for head, days in horizons.items() if head != "value" and known(labelled, head))
    test_from = last - round((last - first) * test)
    tested = table.filter(at >= test_from, pl.any_horizontal(pl.col("churn", "intent").is_not_null()))
    before = table.filter(at < test_from)
    if by == "customers":
        out = held(before["customer"])
        parts = (_blot(before.filter(~out), test_from, horizons), _blot(before.filter(out), test_from, horizons))
    else:
        validation_to = test_from - gap
        validation_from = validation_to - round((last - first) * validation)
        parts = (
            _blot(before.filter(at < validation_from), validation_from, horizons),
            _blot(before.filter(at >= validation_from, at <= validation_to), test_from, horizons),
        )
    return Split(*parts, tested, before)


def held(customers: pl.Series) -> pl.Series:
    """Whether each customer is one of those whom training on customers never sees."""
    return _dealt(customers, CUSTOMERS) == 0


def _dealt(words: pl.Series, hands: int) -> pl.Series:
    """Which of so many each word falls to, today as in any later version of anything."""
    return pl.Series("dealt", [hash64(word) % hands for word in words], pl.Int64)


def _blot(table: pl.DataFrame, to: int, horizons: Mapping[str, int]) -> pl.DataFrame:
    """Without labels that look beyond `to`, and without rows of which no label is left."""
    reach = [
        pl.when(pl.col("at") + days * DAY_MS <= to).then(pl.col(head)).alias(head) for head, days in horizons.items()
    ]
    return table.with_columns(reach).filter(pl.any_horizontal(pl.col("churn", "intent", "value").is_not_null()))
