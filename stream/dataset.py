"""Training examples out of a log of the past: the engine's own snapshots at cut-offs, and what customers did then."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import polars as pl

from inference.story import without_numbers
from schemas.behaviours import Behaviour
from schemas.event import Event
from schemas.features import DAY_MS
from schemas.money import exponent
from schemas.outputs import Example, Snapshot
from stream.features.engine import Config, Engine

CUTOFF = "cutoff"

# An example file's columns; `inference.train.examples` reads them. `text` stands in place of the snapshot's own story
# where only that was kept. A label that nobody knows is null.
SCHEMA: Final = {
    "id": pl.String,
    "customer": pl.String,
    "at": pl.Int64,
    "snapshot": pl.String,
    "text": pl.String,
    "churn": pl.Boolean,
    "intent": pl.Boolean,
    "value": pl.Float64,
    "sentiment": pl.Boolean,
}


class Labelled(NamedTuple):
    """A snapshot, and what followed: no order within the churn horizon, one within the intent horizon, and the spend.

    `value` is the sum of the orders' totals within the value horizon, in the main unit of the shop's currency. None
    where the log ends before the horizon does. `text` is the story where the snapshot has none.
    """

    snapshot: Snapshot
    churn: bool | None
    intent: bool | None
    value: float | None
    text: str | None = None


class Horizons(NamedTuple):
    """How far the labels look ahead, in ms."""

    churn: int
    intent: int
    value: int


class Order(NamedTuple):
    """When, and for how much in the main unit."""

    at: int
    amount: float


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
                                 ^ snapshot of all     ^ horizons over: labelled and yielded

    Where the log ends before a horizon is over, that label is None; its story can still be learned from. The engine
    never sees an event past a cut-off before the snapshots of that
    cut-off are taken.
    """
    engine = Engine(config)
    waiting: deque[tuple[int, list[Snapshot]]] = deque()
    orders: defaultdict[str, list[Order]] = defaultdict(list)
    cutoff, now, unit = None, 0, 10 ** exponent(config.currency)
    for offset, event in enumerate(events):
        if cutoff is None:
            cutoff = event.at - event.at % DAY_MS + warm_up
        while event.at >= cutoff:
            waiting.append((cutoff, _snapshots(engine, cutoff)))
            cutoff += every
        while waiting and event.at >= waiting[0][0] + max(horizons):
            _, snapshots = waiting.popleft()
            yield from (_label(snapshot, orders[snapshot.customer], horizons, event.at) for snapshot in snapshots)
        if event.behaviour == Behaviour.ORDER:
            spent = event.amount if event.currency in ("", config.currency) else None
            orders[event.customer].append(Order(event.at, (spent or 0) / unit))
        engine.apply(event, 0, offset, event.at)
        now = event.at
    for _, snapshots in waiting:
        yield from (_label(snapshot, orders[snapshot.customer], horizons, now) for snapshot in snapshots)


def served(told: Iterable[Example]) -> Iterator[Labelled]:
    """What a running installation learned of: the examples of its topic, those of one prediction as one.

    The story is the text that was scored, without feature words: another model may have other ones.
    """
    together: dict[tuple[str, int], dict[str, Any]] = {}
    for example in told:
        found = together.setdefault((example.customer, example.at), {"example": example})
        found[example.target] = example.amount if example.target == "value" else example.label
    for (customer, at), found in sorted(together.items(), key=lambda item: item[0][::-1]):
        example = found["example"]
        snapshot = Snapshot(
            id=example.id, customer=customer, at=at, trigger=CUTOFF, arrived=at, features=example.features, story=[]
        )
        words = without_numbers(example.story)
        yield Labelled(snapshot, found.get("churn"), found.get("intent"), found.get("value"), words)


def table(rows: Iterable[Labelled]) -> pl.DataFrame:
    """Examples as a table of `SCHEMA`."""
    encode = msgspec.json.encode
    return pl.DataFrame(
        [
            # What is owned is for recommendations; no model reads it, and it would be half of the file.
            (s.id, s.customer, s.at, encode(msgspec.structs.replace(s, owned=[])).decode(), text, *labels, None)
            for s, *labels, text in rows
        ],
        schema=SCHEMA,
        orient="row",
    )


def write(examples: pl.DataFrame, path: Path) -> None:
    """Write an example file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    examples.write_parquet(partial)
    partial.replace(path)


def _snapshots(engine: Engine, at: int) -> list[Snapshot]:
    engine.advance(at, at)
    for _ in engine.flush():  # Prunes what no feature sees any more: without it a year's buckets are summed each time.
        pass
    return [engine.snapshot(profile, CUTOFF, at, at, at) for profile in engine.profiles.values()]


def _label(snapshot: Snapshot, orders: list[Order], horizons: Horizons, now: int) -> Labelled:
    """What followed on a snapshot, as far as it is known at `now`, the log's newest time."""
    first = bisect_left(orders, snapshot.at, key=lambda order: order.at)
    following = orders[first].at - snapshot.at if first < len(orders) else None

    def over(horizon: int) -> bool:
        return snapshot.at + horizon <= now

    within = bisect_left(orders, snapshot.at + horizons.value, key=lambda order: order.at)
    return Labelled(
        snapshot,
        churn=(following is None or following >= horizons.churn) if over(horizons.churn) else None,
        intent=(following is not None and following < horizons.intent) if over(horizons.intent) else None,
        value=sum(order.amount for order in orders[first:within]) if over(horizons.value) else None,
    )
