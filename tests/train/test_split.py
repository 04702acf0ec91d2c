"""Splitting by time: no label of one part reaches into the next."""

from pathlib import Path

import polars as pl
import pytest

from inference.train.examples import load, split
from schemas.errors import OperatorError
from schemas.features import DAY_MS


def table(days: range) -> pl.DataFrame:
    """Two customers a day, one of each label."""
    at = [day * DAY_MS for day in days for _ in range(2)]
    return pl.DataFrame({"at": at, "churn": [True, False] * len(days), "intent": [False, True] * len(days)})


def test_parts_are_a_horizon_apart() -> None:
    parts = split(table(range(0, 301, 10)), 30)
    train, validation, test = (part["at"].to_list() for part in parts)
    assert min(test) == 240 * DAY_MS
    assert max(validation) <= min(test) - 30 * DAY_MS
    assert max(train) <= min(validation) - 30 * DAY_MS
    assert min(train) == 0


def test_too_short_a_log_says_so() -> None:
    with pytest.raises(OperatorError, match="longer log"):
        split(table(range(0, 60, 10)), 30)


def test_what_is_no_example_file(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(OperatorError, match="no example file"):
        load(tmp_path / "x.parquet")
    table(range(3)).write_parquet(tmp_path / "y.parquet")
    with pytest.raises(OperatorError, match="lacks the column"):
        load(tmp_path / "y.parquet")
