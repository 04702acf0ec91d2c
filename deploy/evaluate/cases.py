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
    horizon = horizons.get(asked.task, 0)

    def known(part: "pl.DataFrame", most: int | None = None) -> list[Row]:
        # Asked before any are drawn: a limit is of cases that can be judged.
        return examples.rows(part.drop_nulls(asked.task), most, asked.seed)

    train, test = [*known(parts.train), *known(parts.validation)], known(parts.test, asked.limit)
    return Cases(
        train,
        _labels(train, asked.task),
        test,
        _labels(test, asked.task),
        known(parts.validation),
        known(_late(parts, horizon)),
        horizon,
    )


def _late(parts: "Split", horizon_days: int) -> "pl.DataFrame":
    """The stories from before the test whose label was not known when it began."""
    import polars as pl

    tested = parts.test.filter(pl.col("snapshot").is_not_null())["at"]
    if tested.is_empty():
        return parts.unlabelled.clear()
    return parts.unlabelled.filter(pl.col("at") + horizon_days * DAY_MS > int(tested.to_numpy().min()))


def _labels(rows: Sequence[Row], task: str) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.array([float(getattr(row, task)) for row in rows])
