"""Training examples out of a log of the past: the engine's own snapshots at cut-offs, and what customers did then."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from schemas.behaviours import Behaviour, Event
from schemas.features import DAY_MS
from schemas.outputs import Snapshot
from stream.features.engine import Config, Engine

CUTOFF = "cutoff"


class Labelled(NamedTuple):
    """A snapshot, whether no order followed within the churn horizon, and whether one did within the intent horizon."""

    snapshot: Snapshot
    churn: bool
    intent: bool


class Horizons(NamedTuple):
    """How far the labels look ahead, in ms."""

    churn: int
    intent: int


def examples(
    events: Iterable[Event],
    horizons: Horizons,
    config: Config,
    every: int = 10 * DAY_MS,
    warm_up: int = 35 * DAY_MS,
) -> Iterator[Labelled]:
    """Every customer seen so far, at each cut-off, labelled by what the events, which are in order of time, then say.

    Cut-offs are midnights (UTC): the first one `warm_up` after the first event's day, then one `every` so often.

    ::

        events   ---o--o-----o---|--o---o-------o------|---> replayed through one engine
                                 ^ snapshot of all     ^ horizon over: labelled and yielded

    A cut-off whose horizon the events do not reach is left out. The engine never sees an event past a cut-off before
    the snapshots of that cut-off are taken.
    """
    engine = Engine(config)
    waiting: deque[tuple[int, list[Snapshot]]] = deque()
    orders: defaultdict[str, list[int]] = defaultdict(list)
    cutoff = None
    for offset, event in enumerate(events):
        if cutoff is None:
            cutoff = event.at - event.at % DAY_MS + warm_up
        while event.at >= cutoff:
            waiting.append((cutoff, _snapshots(engine, cutoff)))
            cutoff += every
        while waiting and event.at >= waiting[0][0] + max(horizons):
            _, snapshots = waiting.popleft()
            yield from (_label(snapshot, orders[snapshot.customer], horizons) for snapshot in snapshots)
        if event.behaviour == Behaviour.ORDER:
            orders[event.customer].append(event.at)
        engine.apply(event, 0, offset, event.at)


def write(rows: Iterable[Labelled], path: Path) -> int:
    """Write examples as parquet (id, customer, at, snapshot as JSON, churn, intent); gives their number."""
    encode = msgspec.json.encode
    table = pl.DataFrame(
        [
            # What is owned is for recommendations; no model reads it, and it would be half of the file.
            (s.id, s.customer, s.at, encode(msgspec.structs.replace(s, owned=[])).decode(), churn, intent)
            for s, churn, intent in rows
        ],
        schema={
            "id": pl.String,
            "customer": pl.String,
            "at": pl.Int64,
            "snapshot": pl.String,
            "churn": pl.Boolean,
            "intent": pl.Boolean,
        },
        orient="row",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(path)
    return table.height


def _snapshots(engine: Engine, at: int) -> list[Snapshot]:
    engine.advance(at, at)
    for _ in engine.flush():  # Prunes what no feature sees any more: without it a year's buckets are summed each time.
        pass
    return [engine.snapshot(profile, CUTOFF, at, at, at) for profile in engine.profiles.values()]


def _label(snapshot: Snapshot, orders: list[int], horizons: Horizons) -> Labelled:
    later = bisect_left(orders, snapshot.at)
    following = orders[later] - snapshot.at if later < len(orders) else None
    return Labelled(
        snapshot,
        churn=following is None or following >= horizons.churn,
        intent=following is not None and following < horizons.intent,
    )
