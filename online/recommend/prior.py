"""The ranker's weights before it has learned anything: what the sources say, taken together."""

from typing import Final

import numpy as np

from online.recommend.query import COLUMNS, features_count

_WEIGHTS: Final = {"narrow": 0.5, "wide": 0.2, "after": 0.2, "before": 0.1, "two_steps": 0.3, "next_last": 0.1}

PRIOR: Final = np.zeros(features_count(), np.float32)
for _name, _weight in _WEIGHTS.items():
    PRIOR[COLUMNS.index(_name)] = _weight
