"""Laws of restarts: a worker that dies anywhere, also half-way through a barrier, tells what one that lives tells."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

import msgspec
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import HOUR_MS
from schemas.outputs import Snapshot
from schemas.topics import FEATURES
from stream.features.apply import prune
from stream.features.codec import decode_profile
from stream.features.profile import Profile
from stream.kafka.producer import Headers
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.profile import ProfilePartition

T0 = 1_700_000_000_000
ARRIVED = T0 + 10_000 * HOUR_MS
SETTINGS = Settings(partitions=1, debounce_s=0)
TOPICS = ("clickstream", "orders")
# A cart, and what keeps it from being abandoned, come often.
KINDS = ("Product Added", "Product Added", "Order Completed", "Order Completed", "Product Removed", "Order Cancelled")
STEPS = (0, 60_000, HOUR_MS // 3, HOUR_MS + 1, 200 * HOUR_MS)


@dataclass
class Record:
    """A record as aiokafka gives it."""

    topic: str
    offset: int
    value: bytes
    timestamp: int = ARRIVED
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Told:
    """The snapshots that were sent, by id: when, and what they say."""

    snapshots: dict[str, Snapshot] = field(default_factory=dict)

    def __call__(
        self,
        topic: str,
        key: bytes | None,  # noqa: ARG002
        value: bytes | None,
        partition: int | None = None,  # noqa: ARG002
        headers: Headers | None = None,  # noqa: ARG002
    ) -> None:
        if topic == FEATURES.name and value is not None:
            snapshot = msgspec.json.decode(value, type=Snapshot)
            self.snapshots.setdefault(snapshot.id, snapshot)


@st.composite
def some_log(draw: st.DrawFn) -> list[Record]:
    """Events of two customers over some days, at most a few hours late, as they were handed on in turn."""
    offsets = dict.fromkeys(TOPICS, 0)
    at, found = T0, []
    for number in range(draw(st.integers(3, 16))):
        kind = draw(st.sampled_from(KINDS))
        topic = TOPICS[kind.startswith("Order")]
        at += draw(st.sampled_from(STEPS))
        late = draw(st.sampled_from((0, 0, 0, 1, HOUR_MS, 5 * HOUR_MS)))
        properties = {"product_id": "p", "quantity": 1, "order_id": draw(st.integers(1, 3)), "total": 5, "products": []}
        customer = draw(st.sampled_from(("ann", "bob")))
        event = {"type": "track", "event": kind, "messageId": f"m{number}", "timestamp": at - late, "userId": customer}
        found.append(Record(topic, offsets[topic], json.dumps(event | {"properties": properties}).encode()))
        offsets[topic] += 1
    return found


def profiles(store: list[tuple[bytes, bytes | None]], clock: int) -> dict[bytes, Profile]:
    """What a store holds in the end, without what no feature can see any more."""
    found = {key: decode_profile(value) for key, value in dict(store).items() if key and value is not None}
    for profile in found.values():
        prune(profile, clock)
        # How far the log was read when she was last written says nothing of her.
        profile.applied.clear()
    return found


def feed(state: ProfilePartition, records: list[Record], told: Told) -> None:
    async def one_by_one() -> None:
        for record in records:
            await state.process(Run(TP(record.topic, 0), [record]), told)

    asyncio.run(one_by_one())


def restored(store: Iterator[tuple[bytes, bytes | None]]) -> ProfilePartition:
    state = ProfilePartition(0, SETTINGS)
    for key, value in store:
        state.restore(key, value)
    return state


@given(some_log(), st.data())
def test_a_barrier_written_half_makes_no_timer_fire_that_would_not_have(log: list[Record], data: st.DataObject) -> None:
    """``log |--- whole barrier ---|--- processed, barrier half written --- crash``, then on from the whole one."""
    alive, undisturbed = Told(), ProfilePartition(0, SETTINGS)
    feed(undisturbed, log, alive)

    first = data.draw(st.integers(0, len(log)), label="whole")
    second = data.draw(st.integers(first, len(log)), label="crash")
    told = Told()
    state = ProfilePartition(0, SETTINGS)
    # What a new store lacks is written before anything else.
    store = list(state.changes())
    feed(state, log[:first], told)
    store += state.changes()
    feed(state, log[first:second], told)
    half = list(state.changes())
    lost = data.draw(st.sets(st.integers(0, len(half))), label="lost")
    # The clock is written last: where anything is lost, so is it.
    store += [half[n] for n in range(len(half) - bool(lost)) if n not in lost]
    # The commit may be older than the barrier as well.
    again = data.draw(st.integers(0, first), label="committed")
    restarted = restored(iter(store))
    feed(restarted, log[again:], told)
    end = max(json.loads(record.value)["timestamp"] for record in log)
    store += restarted.changes()
    assert profiles(store, end) == profiles([*undisturbed.changes()], end)
    assert sorted(map(described, told.snapshots.values())) == sorted(map(described, alive.snapshots.values()))


def described(snapshot: Snapshot) -> tuple[str, str, int, str]:
    return snapshot.customer, snapshot.trigger, snapshot.at, snapshot.id


def test_the_clock_is_written_behind_every_profile_it_belongs_to() -> None:
    state = ProfilePartition(0, SETTINGS)
    assert [key for key, _ in state.changes()] == [b""]
    assert list(state.changes()) == []
    event = {"type": "track", "event": "Quiz Finished", "messageId": "m", "timestamp": T0, "userId": "ann"}
    feed(state, [Record("clickstream", 0, json.dumps(event).encode())], Told())
    assert list(map(itemgetter(0), state.changes())) == [b"ann", b""]
