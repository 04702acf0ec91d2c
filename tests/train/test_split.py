"""Splitting by time: no label of one part reaches into the next."""

from pathlib import Path

import polars as pl
import pytest

from inference.train.examples import heads, latest, load, split
from schemas.errors import OperatorError
from schemas.features import DAY_MS

# Of customers 0 to 96 those whose hash (XXH3, 63 bits) leaves nothing over 20.
PINNED = ["51", "66", "71", "90"]
HORIZONS = {"churn": 30, "intent": 7, "value": 90}


def table(days: range) -> pl.DataFrame:
    """Two customers a day, one of each label."""
    at = [day * DAY_MS for day in days for _ in range(2)]
    half = [True, False] * len(days)
    return pl.DataFrame(
        {
            "id": [str(number) for number in range(len(at))],
            "customer": [str(number % 97) for number in range(len(at))],
            "at": at,
            "snapshot": ["{}"] * len(at),
            "text": pl.Series([None] * len(at), dtype=pl.String),
            "churn": half,
            "intent": half,
            "value": pl.Series([None] * len(at), dtype=pl.Float64),
            "sentiment": pl.Series([None] * len(at), dtype=pl.Boolean),
        }
    )


def test_no_label_reaches_into_the_next_part() -> None:
    parts = split(table(range(0, 301, 10)), HORIZONS)
    test_from = 240 * DAY_MS
    assert parts.test["at"].to_list()[0] == test_from
    for part, until in ((parts.train, parts.validation["at"].to_list()[0]), (parts.validation, test_from)):
        for head in ("churn", "intent"):
            known = part.filter(pl.col(head).is_not_null())["at"].to_list()
            assert known[-1] + HORIZONS[head] * DAY_MS <= until
            if part is parts.train:
                assert known[-1] + (HORIZONS[head] + 10) * DAY_MS > until
    assert parts.unlabelled["at"].to_list()[-1] < test_from


def test_customers_who_validate_are_never_trained_on() -> None:
    parts = split(table(range(301)), HORIZONS, by="customers")
    held = set(parts.validation["customer"])
    assert held
    assert not held & set(parts.train["customer"])
    assert held & set(parts.test["customer"])
    assert parts.train["at"].to_list()[-1] >= 225 * DAY_MS


def test_reviews_are_dealt_by_their_words() -> None:
    reviews = table(range(200)).with_columns(
        snapshot=pl.lit(None, pl.String),
        text=pl.format("review {}", pl.col("id")),
        churn=pl.lit(None, pl.Boolean),
        intent=pl.lit(None, pl.Boolean),
        sentiment=pl.col("churn"),
    )
    both = pl.concat([reviews, table(range(0, 301, 10))])
    parts = split(both, HORIZONS)
    again = split(pl.concat([table(range(0, 301, 10)), reviews]), HORIZONS)
    assert heads(parts.test) == ("churn", "intent", "sentiment")
    dealt = [set(part["text"].drop_nulls()) for part in parts[:3]]
    assert sum(map(len, dealt)) == len(set.union(*dealt)) == 400
    assert dealt == [set(part["text"].drop_nulls()) for part in again[:3]]


def test_the_latest_are_the_labels_that_became_known_last() -> None:
    parts = split(table(range(301)), HORIZONS, by="customers")
    found = latest(parts, HORIZONS, 20)
    known = {head: found.filter(pl.col(head).is_not_null())["at"] // DAY_MS for head in ("churn", "intent")}
    # The test begins on day 240: labels that were known by then, and not yet on day 220.
    assert (known["churn"].min(), known["churn"].max()) == (191, 210)
    assert (known["intent"].min(), known["intent"].max()) == (214, 233)
    assert len(set(found["customer"]) & set(parts.validation["customer"])) > 1
    reviews = table(range(9)).with_columns(snapshot=pl.lit(None, pl.String))
    assert not latest(parts._replace(train=reviews, validation=reviews), HORIZONS, 20).height


def test_who_validates_does_not_change_with_a_librarys_version() -> None:
    parts = split(table(range(301)), HORIZONS, by="customers")
    assert sorted(set(parts.validation["customer"]), key=int) == PINNED


def test_too_short_a_log_says_so() -> None:
    with pytest.raises(OperatorError, match="give more"):
        split(table(range(0, 60, 10)), HORIZONS)


def test_what_is_no_example_file(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(OperatorError, match="no example file"):
        load([tmp_path / "x.parquet"])
    table(range(3)).drop("value").write_parquet(tmp_path / "y.parquet")
    with pytest.raises(OperatorError, match="lacks the column `value`"):
        load([tmp_path / "y.parquet"])
