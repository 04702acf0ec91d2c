"""Predict first, learn when the label has matured: the pipeline's own learner over a log of the past.

::

    cut-off   275          285          295
               | predict    | predict    |        label of a horizon of 7 days from 275: learned before 285
               |---7d--->learn           |
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from deploy.evaluate.past import TARGETS, Past
from online.contest import ENSEMBLE
from online.learners.blend import NAMES
from online.learners.renewal import past as past_of
from online.metrics import recency
from online.state import Learner
from schemas.outputs import Example, Features, Parts

LEARNERS: Final = (*sorted(NAMES), ENSEMBLE)


@dataclass
class Found:
    """Probabilities by target and source (NaN: not asked), and what they cost."""

    columns: dict[str, dict[str, Any]]
    learned: int = 0
    predicted: int = 0
    learn_s: float = 0.0
    predict_s: float = 0.0
    rates: dict[str, Any] = field(default_factory=dict)


def run(past: Past, learner: Learner, bert: Any, horizons: dict[str, int], advance: Callable[[int], None]) -> Found:
    """Go through the past with `learner`; `bert` [rows, 2] are the answers where it was asked, else NaN.

    `horizons` are the labels' in ms; `advance` hears of rows done. `rates` are the shares of each target's label among
    what had matured: what a constant would say.
    """
    rows = len(past.at)
    sources = ("recency", "online", "bert", "served")
    found = Found({target: {source: np.full(rows, np.nan) for source in sources} for target in TARGETS})
    found.rates = {target: np.full(rows, np.nan) for target in TARGETS}
    taught = dict.fromkeys(TARGETS, 0)
    for cutoff in past.cutoffs:
        for target in sorted(TARGETS, key=horizons.__getitem__):
            known = int(np.searchsorted(past.at, cutoff - horizons[target], "right"))
            _learn(past, learner, found, target, range(taught[target], known))
            taught[target] = known
            if known:
                found.rates[target][past.at == cutoff] = past.labels[target][:known].mean()
        now = np.flatnonzero(past.at == cutoff)
        _predict(past, learner, found, now, bert, horizons)
        advance(len(now))
    return found


def _learn(past: Past, learner: Learner, found: Found, target: str, rows: range) -> None:
    examples = [_example(past, found, target, row) for row in rows]
    began = time.process_time()
    for example in examples:
        learner.learn_one(example)
    found.learn_s += time.process_time() - began
    found.learned += len(examples)


def _predict(past: Past, learner: Learner, found: Found, rows: Any, bert: Any, horizons: dict[str, int]) -> None:
    asked = [(int(row), past.row(row), _parts(bert[row])) for row in rows]
    told = list(past.snapshots(rows))
    began = time.process_time()
    answers = []
    for (_, features, parts), snapshot in zip(asked, told, strict=True):
        answers.append(learner.answer(features, parts, past_of(snapshot.story, snapshot.at, horizons)))
    found.predict_s += time.process_time() - began
    found.predicted += len(asked)
    for (row, _, parts), (served, online, learners) in zip(asked, answers, strict=True):
        for target in TARGETS:
            columns = found.columns[target]
            columns["online"][row], columns["served"][row] = getattr(online, target), getattr(served, target)
            columns["bert"][row] = np.nan if parts is None else getattr(parts, target)
            for name, said in learners[target].items():
                columns.setdefault(name, np.full(len(past.at), np.nan))[row] = said
            columns["recency"][row] = recency(_example(past, found, target, row))


def _parts(answer: Any) -> Parts | None:
    return None if np.isnan(answer[0]) else Parts(churn=float(answer[0]), intent=float(answer[1]))


def _example(past: Past, found: Found, target: str, row: int) -> Example:
    columns = found.columns[target]
    features: Features = past.row(row)
    return Example(
        id=f"{row}-{target}",
        customer="",
        at=int(past.at[row]),
        matured=0,
        target=target,
        label=bool(past.labels[target][row]),
        features=features,
        story="",
        served=float(columns["served"][row]),
        bert=None if np.isnan(columns["bert"][row]) else float(columns["bert"][row]),
        online=float(columns["online"][row]),
        learners={name: float(p) for name in LEARNERS if name in columns and (p := columns[name][row]) == p},
    )
