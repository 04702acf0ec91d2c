"""Which cases a measurement is made on: a limit is of cases whose label is known."""

from pathlib import Path

import pytest

from deploy.evaluate.asked import Asked
from deploy.evaluate.cases import gather
from schemas.features import DAY_MS
from schemas.outputs import Snapshot
from stream.dataset import Labelled, table, write


def labelled(day: int, number: int) -> Labelled:
    """An example; in the last fifth of the days, what is spent is known of one customer in ten."""
    at = day * DAY_MS
    snapshot = Snapshot(
        id=f"{day}-{number}", customer=str(number), at=at, trigger="cutoff", arrived=at, features={}, story=[]
    )
    known = day < 240 or number % 10 == 0
    return Labelled(snapshot, number % 2 == 0, number % 3 == 0, float(number) if known else None)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty-one days of a hundred customers each."""
    path = tmp_path_factory.mktemp("data") / "examples.parquet"
    write(table(labelled(day, number) for day in range(0, 301, 10) for number in range(100)), path)
    return path


@pytest.mark.parametrize("limit", [1, 20, 30])
def test_a_limit_is_of_cases_that_can_be_judged(file: Path, limit: int) -> None:
    cases = gather(Asked("value", str(file), limit=limit, quiet=True))
    assert len(cases.test) == limit
    assert cases.test_labels.tolist() == [row.value for row in cases.test]


def test_without_a_limit_all_are_tested_and_each_once(file: Path) -> None:
    cases = gather(Asked("value", str(file), quiet=True))
    ids = [row.snapshot.id for row in cases.test if row.snapshot is not None]
    assert sorted(ids) == sorted(f"{day}-{number}" for day in range(240, 301, 10) for number in range(0, 100, 10))
    few = gather(Asked("value", str(file), limit=7, quiet=True))
    assert {row.snapshot.id for row in few.test if row.snapshot is not None} < set(ids)
