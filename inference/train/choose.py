"""Which features BERT reads as words: those that tell most about the labels, and not twice the same thing."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import mutual_info_score

from inference.bins import Bins, learn
from inference.train.examples import Row
from schemas.features import NAMES

# Grows with the calendar in any log that starts at one day for all: a model would learn the date.
CALENDAR = frozenset({"tenure_days", "orders_total", "spend_total"})


def choose(rows: Sequence[Row], most: int, buckets: int, alike: float = 0.97) -> Bins:
    """Bins of the `most` features with the highest mutual information with the labels, best first.

    A feature whose buckets correlate by more than `alike` with a chosen one's is left out.
    """
    columns = {name: [row.snapshot.features.get(name) for row in rows] for name in NAMES if name not in CALENDAR}
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
