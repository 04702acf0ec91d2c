"""The cases of a measurement: examples of a source in the parts that a model was trained, and is tested, on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deploy.evaluate.asked import Asked
from inference.train.examples import Row
from schemas.errors import OperatorError
from schemas.features import DAY_MS

if TYPE_CHECKING:
    import polars as pl

    from inference.train.examples import Split


class Cases(NamedTuple):
    """Rows to learn from and to test on, with the label of the task for each; amounts in the main unit.

    The labels of `late` rows, from before the test, become known during it: who learns while it goes on knows them.
    """

    train: list[Row]
    train_labels: "np.ndarray[Any, np.dtype[np.float64]]"
    test: list[Row]
    test_labels: "np.ndarray[Any, np.dtype[np.float64]]"
    held: list[Row]
    late: list[Row]
    horizon_days: int


def gather(asked: Asked) -> Cases:
    """The source's examples, split as training splits them; `held` are customers that no training run ever sees.

    Training rows are all before the test whose label is known by then: the baselines learn from all that BERT could.
    """
    from pathlib import Path

    from deploy.dataset import SHAPES, Shape, make
    from deploy.progress import bars
    from inference.train import examples
    from stream.dataset import write
    from stream.settings import Settings

    settings = Settings()
    if Path(asked.source).suffix == ".parquet":
        file = Path(asked.source)
    else:
        file = settings.data_dir / "train" / f"{Path(asked.source).name.split('.')[0]}.parquet"
        if not file.is_file():
            with bars(quiet=asked.quiet) as progress:
                write(make(asked.source, asked.path, None, settings, progress), file)
    horizons = {k: round(v) for k, v in SHAPES.get(asked.source, Shape()).horizons(settings).items()}
    table = examples.load([file])
    if table[asked.task].drop_nulls().n_unique() < 2:
        raise OperatorError(f"{asked.source} has no labels for {asked.task}")
    parts = examples.split(table, horizons, by="customers")
    learned = [row for part in (parts.train, parts.validation) for row in examples.rows(part, None, asked.seed)]
    train, train_labels = _known(learned, asked.task)
    test, test_labels = _known(examples.rows(parts.test, asked.limit, asked.seed), asked.task)
    horizon = horizons.get(asked.task, 0)
    return Cases(
        train,
        train_labels,
        test,
        test_labels,
        _known(examples.rows(parts.validation, None, asked.seed), asked.task)[0],
        _known(examples.rows(_late(parts, horizon), None, asked.seed), asked.task)[0],
        horizon,
    )


def _late(parts: "Split", horizon_days: int) -> "pl.DataFrame":
    """The stories from before the test whose label was not known when it began."""
    import polars as pl

    tested = parts.test.filter(pl.col("snapshot").is_not_null())["at"]
    if tested.is_empty():
        return parts.unlabelled.clear()
    return parts.unlabelled.filter(pl.col("at") + horizon_days * DAY_MS > int(tested.to_numpy().min()))


def _known(rows: Sequence[Row], task: str) -> "tuple[list[Row], np.ndarray[Any, np.dtype[np.float64]]]":
    kept = [row for row in rows if getattr(row, task) is not None]
    return kept, np.array([float(getattr(row, task)) for row in kept])
