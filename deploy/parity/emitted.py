"""The snapshots that a running stack has emitted, against the oracle at the same moments.

A snapshot is compared as of its own `at`, over exactly the events it was made of: its `applied` names, per input topic,
the customer's last offset in it, so it is the events up to and including its trigger in the order in which the worker
got them, whatever the order of their times, and however the two topics ran ahead of one another. What the events say
comes from the source itself; Kafka only tells at which offset each arrived, by its messageId.
"""

import random
from collections.abc import Iterable
from typing import Final

import polars as pl

from deploy.parity.compare import Result
from deploy.parity.oracle.features import oracle
from deploy.parity.oracle.history import ASKS
from schemas.features import NAMES
from schemas.outputs import Snapshot

SAMPLE: Final = 2_000
_BATCH: Final = 2_000
_ANSWERS: Final[dict[str, type[pl.DataType]]] = {"ask": pl.Int64, "customer": pl.String} | dict.fromkeys(
    NAMES, pl.Float64
)
# What is known of an arrival: the hashed messageId, which topic (0 clickstream, 1 orders) and where in it.
ARRIVALS: Final[dict[str, type[pl.DataType]]] = {"key": pl.Int64, "topic": pl.Int8, "offset": pl.Int64}


def arrived(events: pl.DataFrame, arrivals: pl.DataFrame) -> pl.DataFrame:
    """The tidy `events` of a source as they arrived: only those that did, as often as they did, with their offsets."""
    found = events.drop("topic", "offset").join(arrivals, on="key")
    return found.select(events.columns).sort("n", "offset")


def sample(snapshots: list[Snapshot], size: int | None, seed: int = 0) -> list[Snapshot]:
    """`size` of the snapshots by chance, always the same for a seed; all of them for None. Each id once."""
    distinct = list({snapshot.id: snapshot for snapshot in snapshots}.values())
    return distinct if size is None or len(distinct) <= size else random.Random(seed).sample(distinct, size)


def check_emitted(events: pl.DataFrame, snapshots: Iterable[Snapshot], currency: str, session_gap_ms: int) -> Result:
    """Compare snapshots with the oracle over `events`, whose `topic` and `offset` are where the worker got them."""
    waiting = list(snapshots)
    result = Result()
    for start in range(0, len(waiting), _BATCH):
        batch = waiting[start : start + _BATCH]
        asks = pl.DataFrame(
            [(n, s.customer, s.at, s.applied.get(0, -1), s.applied.get(1, -1)) for n, s in enumerate(batch)],
            schema=ASKS,
            orient="row",
        )
        told = pl.DataFrame(
            [(n, s.customer, *map(s.features.get, NAMES)) for n, s in enumerate(batch)],
            schema=_ANSWERS,
            orient="row",
            strict=False,
        )
        result.add(told, oracle(events, asks, currency, session_gap_ms))
    return result
