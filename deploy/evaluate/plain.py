"""Plain ways to predict each task, on the same examples and tested on the same cases as BERT."""

from typing import Any

import numpy as np

from deploy.evaluate.cases import Cases
from inference.baselines.boosting import boosted
from inference.baselines.linear import of_characters, regressed
from inference.baselines.spend import Seen, fit
from inference.baselines.table import table
from inference.train.examples import Row
from online.encode import encode
from schemas.features import NAMES
from schemas.outputs import Features

Array = np.ndarray[Any, np.dtype[np.float64]]


def plain(task: str, cases: Cases, seed: int) -> dict[str, Array]:
    """Predictions by name: lightgbm and logistic on every registered feature, recency, and for value bg_nbd."""
    if task == "sentiment":
        texts, tested = ([row.text or "" for row in rows] for rows in (cases.train, cases.test))
        return {"logistic": of_characters(texts, cases.train_labels, tested)}
    train, test = ([_features(row) for row in rows] for rows in (cases.train, cases.test))
    amounts = task == "value"
    found = {
        "lightgbm": boosted(
            table(train, len(train), NAMES),
            cases.train_labels,
            table(test, len(test), NAMES),
            amounts=amounts,
            seed=seed,
        ),
        "logistic": regressed(
            [_inputs(one) for one in train], cases.train_labels, [_inputs(one) for one in test], amounts=amounts
        ),
        "recency": _recency(test, task),
    }
    if amounts:
        found["bg_nbd"] = fit(_seen(train)).expected(_seen(test), cases.horizon_days)
    return found


def _features(row: Row) -> Features:
    return row.snapshot.features if row.snapshot is not None else {}


def _inputs(features: Features) -> dict[str, float]:
    inputs = encode(features)
    return {**inputs.values, **inputs.missing}


def _recency(rows: list[Features], task: str) -> Array:
    """Days since the last order, as the probability that they alone would suggest: only their order means something.

    Of value it is what was spent in as many weeks before.
    """
    if task == "value":
        return np.array([one.get("spend_90d") or 0.0 for one in rows])
    days = np.array([1e6 if (v := one.get("days_since_order")) is None else v for one in rows])
    return days if task == "churn" else -days


def _seen(rows: list[Features]) -> Seen:
    """What BG/NBD wants to know; customers who never ordered have bought nothing for as long as they are known."""
    orders = np.array([one.get("orders_total") or 0.0 for one in rows])
    age = np.maximum(np.array([one.get("tenure_days") or 0.0 for one in rows]), 1.0)
    since = np.array([age[n] if (v := one.get("days_since_order")) is None else v for n, one in enumerate(rows)])
    mean = np.array([one.get("order_value_mean") or 0.0 for one in rows])
    return Seen(np.maximum(orders - 1, 0.0), np.where(orders > 1, np.maximum(age - since, 0.0), 0.0), age, mean)
