"""At what moments the engine is asked: cut-off times spread over a log, and who has been seen by then."""

from typing import NamedTuple

import polars as pl

from deploy.parity.oracle.history import ASKS


class Cutoff(NamedTuple):
    """As of `now` (epoch ms), when the first `known` events had arrived."""

    now: int
    known: int


def cutoffs(events: pl.DataFrame, number: int) -> list[Cutoff]:
    """`number` moments at even distances, the last one that of the newest event.

    ::

        events   --o--o---o-----o-o----o   an event counts from the first cut-off that no event before it lies behind
        cut-offs ------|------|------|-|
    """
    if events.is_empty():
        return []
    clock = events.select(pl.col("at").cum_max())["at"]
    first, last = int(events["at"][0]), int(clock[-1])
    moments = [first + (last - first) * step // number for step in range(1, number + 1)]
    return [Cutoff(now, clock.search_sorted(now, side="right")) for now in moments]


def asks(events: pl.DataFrame, cutoff: Cutoff) -> pl.DataFrame:
    """A question for each customer seen by then, in the order of their first event. `offset` is the event's number."""
    return (
        events.head(cutoff.known)
        .select(pl.col("customer").unique(maintain_order=True))
        .with_row_index("ask")
        .with_columns(now=pl.lit(cutoff.now), clicks=pl.lit(cutoff.known - 1), orders=pl.lit(cutoff.known - 1))
        .select(pl.col(name).cast(kind) for name, kind in ASKS.items())
    )
