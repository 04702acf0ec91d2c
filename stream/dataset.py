"""Training examples out of a log of the past: the engine's own snapshots at cut-offs, and what customers did then."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
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


def cutoffs(first: int, last: int, horizon: int, warm_up: int = 35 * DAY_MS, every: int = 10 * DAY_MS) -> list[int]:
    """Midnights (UTC) from `warm_up` after the first event, `every` so often, whose horizon ends before the last one."""
    start = first - first % DAY_MS + warm_up
    return list(range(start, last - horizon + 1, every))


def examples(events: Iterable[Event], at: Sequence[int], horizons: Horizons, config: Config) -> Iterator[Labelled]:
    """Every customer seen so far, at each of the ascending cut-offs `at`, labelled by what the events then say.

    ::

        events   ---o--o-----o---|--o---o-------o------|---> replayed in time order through one engine
                                 ^ snapshot of all     ^ horizon over: labelled and yielded

    A cut-off whose horizon the events do not reach is left out. The engine never sees an event past a cut-off before
    the snapshots of that cut-off are taken.
    """
    engine = Engine(config)
    ahead = deque(at)
    waiting: deque[list[Snapshot]] = deque()
    orders: defaultdict[str, list[int]] = defaultdict(list)
    longest = max(horizons)
    for offset, event in enumerate(events):
        while ahead and event.at >= ahead[0]:
            waiting.append(_snapshots(engine, ahead.popleft()))
        while waiting and (not waiting[0] or event.at >= waiting[0][0].at + longest):
            yield from (_label(snapshot, orders[snapshot.customer], horizons) for snapshot in waiting.popleft())
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
