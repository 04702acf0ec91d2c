"""Which features BERT reads as words: those that tell most about the labels, and not twice the same thing."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.metrics import mutual_info_score

from inference import rhythm
from inference.bins import Bins, learn, value_of
from inference.train.examples import Row
from inference.train.text import numbers
from schemas.features import NAMES

# Grows with the calendar in any log that starts at one day for all: a model would learn the date.
CALENDAR: Final = frozenset({"tenure_days", "orders_total", "spend_total"})

# What a tree would find by two cuts: the long-run rate, how long a silence is in a customer's life, the month's share.
RATIOS: Final = (
    "orders_total/tenure_days",
    "spend_total/tenure_days",
    "days_since_order/tenure_days",
    "days_since_order/gap_std_days",
    "orders_30d/orders_90d",
)

# Mixes behaviours of every kind. In a log of orders alone such a feature says what an order's own one says, and would
# mean something else in a shop whose customers also browse.
MIXED: Final = frozenset(name for name in NAMES if name.startswith(("events_", "active_days_", "session_"))) | {
    "days_since_event",
    "trend_events_7d",
    "distinct_items",
    "categories",
    "top_category_share",
    "top_brand_share",
    "hour_share",
    "weekday_share",
}

# Rows that are looked at: shares of buckets need no more.
LOOKED: Final = 20_000


def choose(rows: Sequence[Row], most: int, buckets: int, alike: float = 0.999) -> Bins:
    """Bins of the `most` features with the highest mutual information with churn and intent, best first.

    Left out are what grows with the calendar, what mixes behaviours where the log has but one, what never varies, and
    a feature whose buckets correlate by more than `alike` with a chosen one's.
    """
    snapshots = [(row.snapshot, row) for row in rows[:: max(1, len(rows) // LOOKED)] if row.snapshot is not None]
    known = [numbers(row) for _, row in snapshots]
    behaviours = {moment.behaviour for snapshot, _ in snapshots for moment in snapshot.story}
    left_out = CALENDAR if len(behaviours) > 1 else CALENDAR | MIXED
    names = [name for name in (*NAMES, *RATIOS, *rhythm.NAMES) if name not in left_out]
    columns = {name: [value_of(one, name) for one in known] for name in names}
    bins = learn(columns, buckets)
    words = {name: [bins.token(name, value) for value in values] for name, values in columns.items()}
    labels = [
        3 * (2 if row.churn is None else row.churn) + (2 if row.intent is None else row.intent) for _, row in snapshots
    ]
    tells = {name: mutual_info_score(labels, tokens) for name, tokens in words.items() if len(set(tokens)) > 1}
    chosen: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    for name in sorted(tells, key=lambda n: -tells[n]):
        ranks = _ranks(columns[name], bins.edges[name])
        if all(abs(np.corrcoef(ranks, other)[0, 1]) <= alike for other in chosen.values()):
            chosen[name] = ranks
        if len(chosen) == most:
            break
    return Bins({name: bins.edges[name] for name in chosen})


def _ranks(values: list[float | None], edges: list[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Each value's bucket, -1 where it is missing."""
    given = np.array([np.nan if value is None else value for value in values])
    return np.where(np.isnan(given), -1.0, np.searchsorted(edges, np.nan_to_num(given), "right").astype(float))
