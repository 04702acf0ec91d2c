"""Which features BERT reads as words: those that tell most about the labels, and not twice the same thing."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import mutual_info_score

from inference.bins import Bins, learn
from inference.train.examples import Row
from schemas.features import NAMES

# Grows with the calendar in any log that starts at one day for all: a model would learn the date.
CALENDAR = frozenset({"tenure_days", "orders_total", "spend_total"})

# Mixes behaviours of every kind. In a log of orders alone such a feature says what an order's own one says, and would
# mean something else in a shop whose customers also browse.
MIXED = frozenset(name for name in NAMES if name.startswith(("events_", "active_days_", "session_"))) | {
    "days_since_event",
    "trend_events_7d",
    "distinct_items",
    "categories",
    "top_category_share",
    "top_brand_share",
    "hour_share",
    "weekday_share",
}


def choose(rows: Sequence[Row], most: int, buckets: int, alike: float = 0.97) -> Bins:
    """Bins of the `most` features with the highest mutual information with the labels, best first.

    Left out are what grows with the calendar, what mixes behaviours where the log has but one, and a feature whose
    buckets correlate by more than `alike` with a chosen one's.
    """
    behaviours = {moment.behaviour for row in rows for moment in row.snapshot.story}
    left_out = CALENDAR if len(behaviours) > 1 else CALENDAR | MIXED
    columns = {name: [row.snapshot.features.get(name) for row in rows] for name in NAMES if name not in left_out}
    bins = learn(columns, buckets)
    words = {name: [bins.token(name, value) for value in values] for name, values in columns.items()}
    labels = [2 * row.churn + row.intent for row in rows]
    tells = {name: mutual_info_score(labels, tokens) for name, tokens in words.items() if len(set(tokens)) > 1}
    chosen: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for name in sorted(tells, key=lambda n: -tells[n]):
        ranks = np.searchsorted(bins.edges[name], [-1.0 if v is None else v for v in columns[name]], "right").astype(
            float
        )
        if all(abs(np.corrcoef(ranks, other)[0, 1]) <= alike for other in chosen.values()) and np.std(ranks) > 0:
            chosen[name] = ranks
        if len(chosen) == most:
            break
    return Bins({name: bins.edges[name] for name in chosen})
