"""Snapshots that the engine emitted, compared as of their own moments, with the two topics read at different speeds."""

import random
from dataclasses import dataclass

import msgspec
import polars as pl
import pytest

from deploy.parity.emitted import ARRIVALS, arrived, check_emitted, sample
from deploy.parity.raw import segment
from deploy.parity.simulated import simulated
from schemas.decode import decode
from schemas.features import NAMES
from schemas.outputs import Snapshot
from stream.features.engine import Config, Engine

GAP = Config().delays.session_gap
TOPICS = ("clickstream", "orders")


@dataclass
class Emitted:
    """A source's tidy events, where they arrived, and what was emitted."""

    events: pl.DataFrame
    arrivals: pl.DataFrame
    snapshots: list[Snapshot]


@pytest.fixture(scope="module")
def emitted() -> Emitted:
    """The simulated shop, its orders read up to 50 events late or early, flushed now and then."""
    log = simulated(4_000)
    rng = random.Random(5)
    order = sorted(range(len(log)), key=lambda n: n + (rng.randrange(50) if log[n].topic == "orders" else 0))
    engine = Engine(Config())
    offsets = [0, 0]
    arrivals, snapshots = [], []
    for count, number in enumerate(order):
        event = decode(log[number].value, "USD")
        topic = TOPICS.index(log[number].topic)
        records = engine.apply(event, topic, offsets[topic], max(engine.clock, event.at))
        snapshots += [record for record in records if isinstance(record, Snapshot)]
        arrivals.append((event.message, topic, offsets[topic]))
        offsets[topic] += 1
        if count % 97 == 0:
            list(engine.flush())
    raw = [segment.Record(0, n, event.value, event.at) for n, event in enumerate(log)]
    events = segment.read(raw, "USD", 0).unique("key", keep="first", maintain_order=True)
    return Emitted(events, pl.DataFrame(arrivals, schema=ARRIVALS, orient="row"), snapshots)


def test_every_snapshot_agrees(emitted: Emitted) -> None:
    found = check_emitted(arrived(emitted.events, emitted.arrivals), emitted.snapshots, "USD", GAP)
    assert found.by_feature == {}
    assert found.compared == len(emitted.snapshots) * len(NAMES) > 500 * len(NAMES)


def test_the_snapshots_exercise_every_feature(emitted: Emitted) -> None:
    values = {name: {s.features[name] for s in emitted.snapshots} for name in NAMES}
    assert [name for name, seen in values.items() if len(seen) < 2] == []


def test_a_snapshot_that_holds_more_than_it_says_is_found(emitted: Emitted) -> None:
    snapshot = next(s for s in emitted.snapshots if s.features["events_1h"] and 0 in s.applied)
    poorer = msgspec.structs.replace(snapshot, applied={**snapshot.applied, 0: snapshot.applied[0] - 1})
    found = check_emitted(arrived(emitted.events, emitted.arrivals), [poorer], "USD", GAP)
    assert found.mismatches > 0


def test_a_sample_is_of_distinct_snapshots_and_always_the_same(emitted: Emitted) -> None:
    twice = emitted.snapshots * 2
    assert len(sample(twice, None)) == len({s.id for s in twice})
    assert sample(twice, 10) == sample(twice, 10)
    assert len({s.id for s in sample(twice, 10)}) == 10
