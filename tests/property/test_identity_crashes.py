"""Identities over two partitions that are killed anywhere: whatever happens when, all that was done counts once.

Kafka is a few lists here, so that a worker can be killed between any two of its steps: outputs that Kafka has not
acknowledged are lost, state is written record by record, offsets are committed last.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from schemas.decode import decode
from stream.features.apply import prune
from stream.features.codec import decode_profile
from stream.features.profile import Profile
from stream.kafka.partitioner import home
from stream.kafka.producer import Headers
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.profile import ProfilePartition
from tests.property.test_merge_laws import state
from tests.property.test_profile_laws import T0, fold

SETTINGS = Settings(partitions=2)
TOPICS = ("clickstream", "orders", "merges")
MINUTE = 60_000
# Of users and devices, each lives on either partition.
USERS = ("zoe", "ann", "bob")
DEVICES = ("phone", "tablet", "laptop", "kiosk")
assert {home(name, 2) for name in USERS} == {home(name, 2) for name in DEVICES} == {0, 1}
STEPS = 6  # where a barrier can be cut off


class Record(NamedTuple):
    """A record as a stage reads it."""

    offset: int
    value: bytes
    timestamp: int = T0 + 86_400_000
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Kafka:
    """Logs by topic and partition; what is committed; what the profiles topic holds."""

    def __init__(self) -> None:
        self.logs: dict[tuple[str, int], list[Record]] = {(topic, n): [] for topic in TOPICS for n in (0, 1)}
        self.committed: dict[tuple[str, int], int] = {}
        self.profiles: list[list[tuple[bytes, bytes | None]]] = [[], []]

    def append(self, topic: str, partition: int, value: bytes) -> None:
        log = self.logs[topic, partition]
        log.append(Record(len(log), value))


class Worker:
    """The worker of one partition, started from what Kafka has."""

    def __init__(self, kafka: Kafka, number: int) -> None:
        self.kafka = kafka
        self.number = number
        self.read = {topic: kafka.committed.get((topic, number), 0) for topic in TOPICS}
        self.waiting: list[tuple[str, int, bytes]] = []
        self.state = ProfilePartition(number, SETTINGS)
        for key, value in kafka.profiles[number]:
            self.state.restore(key, value)

    def out(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        assert topic != "dead-letters", (key, value, headers)
        if topic in TOPICS:
            assert value is not None
            self.waiting.append((topic, self.number if partition is None else partition, value))

    def process(self, topic: str, most: int) -> bool:
        records = self.kafka.logs[topic, self.number][self.read[topic] :][:most]
        if records:
            finish(self.state.process(Run(TP(topic, self.number), records), self.out))
            self.read[topic] += len(records)
        return bool(records)

    def processed(self) -> dict[str, int]:
        """What of each topic is finished once this barrier is."""
        return self.read.copy()

    def deliver(self, waiting: list[tuple[str, int, bytes]], most: int) -> None:
        for topic, partition, value in waiting[:most]:
            self.kafka.append(topic, partition, value)
        del waiting[:most]

    def barrier(self, steps: int = STEPS, meanwhile: str = "merges") -> None:
        """A barrier, cut off after so many steps, half of the outputs or of the state being one.

        While it waits for Kafka a record is processed, whose outputs belong to the next.
        """
        changes = list(self.state.changes())
        processed = self.processed()
        ours, self.waiting = self.waiting, []
        self.process(meanwhile, 1)
        stored, half = self.kafka.profiles[self.number], len(changes) // 2

        def commit() -> None:
            self.kafka.committed.update({(topic, self.number): at for topic, at in processed.items()})

        done: list[Callable[[], None]] = [
            lambda: self.deliver(ours, len(ours) // 2),
            lambda: self.deliver(ours, len(ours)),
            lambda: stored.extend(changes[:half]),
            lambda: stored.extend(changes[half:]),
            commit,
            lambda: self.state.durable(self.out),
        ]
        for step in done[:steps]:
            step()


def finish(work: Coroutine[Any, Any, None]) -> None:
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("processing waits for nothing")


class Doing(NamedTuple):
    """Something a customer does: as whom (None: as nobody yet), on which device, in which minute; an order's number."""

    user: int | None
    device: int
    name: str
    minute: int
    order: int


def does(users: st.SearchStrategy[int | None]) -> st.SearchStrategy[Doing]:
    names = st.sampled_from(["Product Viewed", "Product Added", "Order Completed", "Order Refunded", "identify"])
    return st.builds(Doing, users, st.integers(0, 3), names, st.integers(0, 60), st.integers(0, 2))


def message(doing: Doing, number: int, order: str) -> bytes:
    at = T0 + doing.minute * MINUTE + number
    told: dict[str, Any] = {"messageId": f"m{number}", "timestamp": at, "anonymousId": DEVICES[doing.device]}
    if doing.user is not None:
        told["userId"] = USERS[doing.user]
    if doing.name == "identify":
        return json.dumps(told | {"type": "identify" if doing.user is not None else "page"}).encode()
    order_of = {"order_id": order, "total": 10 + doing.order, "products": [{"product_id": "q", "quantity": 2}]}
    properties = order_of if doing.name.startswith("Order") else {"product_id": "p", "quantity": 1, "price": 5}
    return json.dumps(told | {"type": "track", "event": doing.name, "properties": properties}).encode()


@st.composite
def storms(draw: st.DrawFn) -> list[tuple[int, str, str, int]]:
    """What the two workers do: process some of a topic, deliver outputs, make a barrier (cut off), be killed."""
    rng = draw(st.randoms(use_true_random=False))
    acts = rng.choices("pdbck", (70, 5, 15, 6, 4), k=draw(st.integers(0, 200)))
    return [(rng.randrange(2), act, rng.choice(TOPICS), rng.randint(1, STEPS - 1)) for act in acts]


def sent(values: list[bytes]) -> Kafka:
    """Kafka with events that nobody has read."""
    kafka = Kafka()
    for value in values:
        event = decode(value, "USD")
        kafka.append("orders" if b'"Order ' in value else "clickstream", home(event.customer, 2), value)
    return kafka


def work(
    kafka: Kafka, what: list[tuple[int, str, str, int]], make: Callable[[Kafka, int], Worker] = Worker
) -> dict[str, Profile]:
    """Two workers do all acts, then come to rest; the profiles as Kafka has them."""
    workers = [make(kafka, 0), make(kafka, 1)]
    for number, act, topic, much in what:
        worker = workers[number]
        if act == "p":
            worker.process(topic, much)
        elif act == "d":
            worker.deliver(worker.waiting, much)
        elif act == "b":
            worker.barrier(meanwhile=topic)
        elif act == "c":
            worker.barrier(much, topic)
        if act in "ck":
            workers[number] = make(kafka, number)
    quiet = 0
    while quiet < 3:
        moved = [worker.process(topic, 100) for worker in workers for topic in TOPICS]
        for worker in workers:
            worker.barrier()
        quiet = 0 if any(moved) else quiet + 1
    return {
        key.decode(): decode_profile(value)
        for log in kafka.profiles
        for key, value in dict(log).items()
        if key and value is not None
    }


def run(values: list[bytes], what: list[tuple[int, str, str, int]]) -> dict[str, Profile]:
    """Send the events and work them off."""
    return work(sent(values), what)


@given(st.lists(does(st.booleans().map(lambda known: 0 if known else None)), max_size=14), storms())
def test_one_who_signs_in_on_all_her_devices_has_the_profile_of_one_who_always_was(
    doings: list[Doing], what: list[tuple[int, str, str, int]]
) -> None:
    signing_in = [Doing(0, device, "identify", 61, 0) for device in range(len(DEVICES))]
    values = [message(doing, n, f"o{doing.order}") for n, doing in enumerate([*doings, *signing_in])]
    found = run(values, what)
    user = found.pop(USERS[0])
    events = [decode(value, "USD") for value in values]
    prune(user, user.last)
    assert state(user) == state(fold(events))
    for device in found.values():
        assert (device.events, device.orders_total) == (0, 0)
        assert device.ids is not None
        assert not device.ids.outgoing


@given(st.lists(does(st.none() | st.integers(0, 2)), max_size=16), storms())
def test_whoever_signs_in_where_every_event_is_in_one_profile_once(
    doings: list[Doing], what: list[tuple[int, str, str, int]]
) -> None:
    # Each event its own order, but for refunds of orders that nobody placed.
    values = [message(doing, n, f"o{n}") for n, doing in enumerate(doings)]
    found = run(values, what)
    assert sum(profile.events for profile in found.values()) == len(values)
    placed = [doing for doing in doings if doing.name == "Order Completed"]
    assert sum(profile.orders_total for profile in found.values()) == len(placed)
    assert sum(p.money.get("USD", 0) for p in found.values()) == sum(100 * (10 + one.order) for one in placed)
    assert not any(profile.ids and profile.ids.outgoing for profile in found.values())
