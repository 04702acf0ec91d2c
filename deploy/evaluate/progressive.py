"""The online model and the ensemble as they run live: at each moment they have learned what had matured, no more."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np

from inference.train.examples import Row
from online.ensemble import Ensemble
from online.learner import OnlineModel
from online.learners.renewal import past
from schemas.features import DAY_MS
from schemas.outputs import Example

TARGETS: Final = ("churn", "intent")

Array = np.ndarray[Any, np.dtype[np.float64]]


def progressive(
    rows: Sequence[Row], bert: Sequence[float | None], task: str, horizon_days: int, tell: Callable[[int], None]
) -> tuple[Array, Array]:
    """The online model's and the ensemble's probability of each row, in the order of the rows.

    Rows are predicted in order of time; a row's label is learned once its horizon is over. `bert` are BERT's
    probabilities, None for rows that it was trained on: of these the online model learns, the ensemble
    does not.
    """
    model, ensemble = OnlineModel(), Ensemble()
    horizons = {task: horizon_days * DAY_MS}
    online, combined = np.zeros(len(rows)), np.zeros(len(rows))
    times = [row.snapshot.at if row.snapshot else 0 for row in rows]
    order = sorted(range(len(rows)), key=lambda n: times[n])
    waiting: list[tuple[int, Example]] = []
    for at, group in groupby(order, key=lambda n: times[n]):
        matured = [example for over, example in waiting if over <= at]
        waiting = [(over, example) for over, example in waiting if over > at]
        for example in matured:
            model.learn_one(example)
            if example.bert is not None:
                ensemble.learn_one(example)
        now = list(group)
        for n in now:
            snapshot = rows[n].snapshot
            assert snapshot is not None, "only stories have a time"
            parts, said = model.answer(snapshot.features, past(snapshot.story, at, horizons))
            online[n] = getattr(parts, task)
            combined[n] = ensemble.combine(bert[n], online[n])
            told = _example(rows[n], task, bert[n], float(online[n]), float(combined[n]), said[task])
            waiting.append((at + horizon_days * DAY_MS, told))
        tell(len(now))
    return online, combined


def _example(
    row: Row, task: str, bert: float | None, online: float, served: float, learners: dict[str, float]
) -> Example:
    assert row.snapshot is not None
    return Example(
        id=row.snapshot.id,
        customer=row.snapshot.customer,
        at=row.snapshot.at,
        matured=row.snapshot.at,
        target=task,
        label=bool(getattr(row, task)),
        features=row.snapshot.features,
        story="",
        served=served,
        bert=bert,
        online=online,
        learners=learners,
    )
