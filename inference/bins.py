"""Quantile buckets that turn a number into one word of BERT's vocabulary, as `[days_since_order=7]`."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from msgspec import Struct

from inference import rhythm

MISSING: Final = "none"


def features_of(name: str) -> list[str]:
    """The registered features that a bin's name asks for: one, two for a ratio, none for a number of the story.

    >>> features_of("overdue"), features_of("orders_total/tenure_days"), features_of("story.gap_1")
    (['overdue'], ['orders_total', 'tenure_days'], [])
    """
    return [] if rhythm.of_story(name) else name.split("/")


def value_of(features: Mapping[str, float | None], name: str) -> float | None:
    """The number that a bin reads: a feature's or the story's value, or for `a/b` that of `a` over that of `b`.

    >>> value_of({"orders_total": 6.0, "tenure_days": 12.0}, "orders_total/tenure_days")
    0.5
    """
    above = features.get(name) if "/" not in name else features.get(features_of(name)[0])
    if above is None or "/" not in name:
        return above
    below = features.get(features_of(name)[1])
    return above / below if below else None


class Bins(Struct, frozen=True):
    """The numbers a model reads, in their order, with the edges between their buckets.

    A number is a feature's, a ratio of two (`a/b`), or one that the story tells (`inference.rhythm`).

    A value on an edge belongs to the bucket above it; a feature that does not apply (None, or no finite number) has a
    bucket of its own, so that "never ordered" is not mistaken for a small or a large number.

    >>> bins = Bins({"overdue": [0.5, 1.0]})
    >>> bins.token("overdue", 0.7), bins.token("overdue", 9.0), bins.token("overdue", None)
    ('[overdue=1]', '[overdue=2]', '[overdue=none]')
    """

    edges: dict[str, list[float]]

    def token(self, name: str, value: float | None) -> str:
        """The word for this value of this feature."""
        if value is None or not math.isfinite(value):
            return f"[{name}={MISSING}]"
        return self.token_of(name, bisect_right(self.edges[name], value))

    def token_of(self, name: str, bucket: int) -> str:
        """The word for a bucket, counted from 0 for the lowest values."""
        return f"[{name}={bucket}]"

    def vocabulary(self) -> list[str]:
        """Every word that `token` can answer with, feature by feature: the missing one, then from low to high."""
        return [
            f"[{name}={bucket}]" for name, edges in self.edges.items() for bucket in (MISSING, *range(len(edges) + 1))
        ]


def learn(columns: Mapping[str, Iterable[float | None]], buckets: int = 16) -> Bins:
    """Edges that put equally many of the values seen into each of at most `buckets` buckets.

    Fewer come out where values repeat (most customers have ordered 0 times), and none for a feature that never varied.
    """
    edges: dict[str, list[float]] = {}
    for name, values in columns.items():
        known = np.asarray([v for v in values if v is not None and math.isfinite(v)], dtype=np.float64)
        if known.size == 0:
            edges[name] = []
            continue
        cuts = np.quantile(known, np.linspace(0, 1, buckets + 1)[1:-1], method="higher")
        # The smallest value is no edge: nothing seen lies below it.
        edges[name] = [float(cut) for cut in np.unique(cuts) if cut > known.min()]
    return Bins(edges)
