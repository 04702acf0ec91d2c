"""LightGBM on the features as they are: what a data scientist would try first."""

from typing import Any, Final

import numpy as np

ROUNDS: Final = 300
SETTINGS: Final[dict[str, Any]] = {
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "verbose": -1,
    "deterministic": True,
}


def boosted(
    features: "np.ndarray[Any, Any]",
    labels: "np.ndarray[Any, Any]",
    tested: "np.ndarray[Any, Any]",
    *,
    amounts: bool,
    seed: int,
) -> "np.ndarray[Any, Any]":
    """Predictions for `tested` of trees grown on `features` and `labels`: probabilities, or expected amounts."""
    import lightgbm

    objective = {"objective": "tweedie", "tweedie_variance_power": 1.5} if amounts else {"objective": "binary"}
    data = lightgbm.Dataset(features, labels)
    trees = lightgbm.train({**SETTINGS, **objective, "seed": seed, "num_threads": 1}, data, ROUNDS)
    told: np.ndarray[Any, Any] = np.asarray(trees.predict(tested))
    return told
