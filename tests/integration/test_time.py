"""Time on the real broker: however fast a log comes in, the snapshots are those of a shop watched event by event."""

import time
from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path

import msgspec
import orjson
import pytest

from deploy.simulate.session import SimEvent
from deploy.simulate.storefront import Storefront
from schemas.decode import decode
from schemas.outputs import Snapshot
from schemas.topics import CLICKSTREAM, DAY_MS, FEATURES, ORDERS, Topic
from stream.features.engine import Engine
from stream.kafka.partitioner import home
from stream.kafka.producer import Producer
from stream.settings import Settings
from stream.stages.profile import SOURCES, engine_config
from tests.integration.kafka_tools import records, until
from tests.integration.workers import worker

pytestmark = pytest.mark.integration

Told = set[tuple[str, str, int, str]]
START = int(time.time() * 1000) // DAY_MS * DAY_MS - 300 * DAY_MS
SPEED = 4 * DAY_MS
MINUTE, HOUR_MS = 60_000, 3_600_000
UNEVEN = 4_000
TRIGGERS = frozenset({"cart_abandoned", "order", "session_end", "silence_7"})


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "workers"
    folder.mkdir()
    return folder


def days(count: int, customers: int = 150) -> list[SimEvent]:
    """What a simulated shop sees of known customers in so many days, in order of time."""
    events = Storefront(11, customers=customers, days=60).events(START, START + count * DAY_MS)
    return [event for event in events if orjson.loads(event.value).get("userId")]


def watched(shop: Settings, events: Iterable[SimEvent]) -> Told:
    """The snapshots of engines that get every event when it happens."""
    engines = [Engine(engine_config(shop)) for _ in range(shop.partitions)]
    decoded = [(decode(event.value, shop.currency), SOURCES[event.topic]) for event in events]
    told = []
    # What happens in the same moment is taken in the order of the topics.
    for offset, (event, source) in enumerate(sorted(decoded, key=lambda one: (one[0].at, one[1]))):
        told += engines[home(event.customer, shop.partitions)].apply(event, source, offset, event.at)
    return {described(record) for record in told if isinstance(record, Snapshot)}


def described(snapshot: Snapshot) -> tuple[str, str, int, str]:
    return snapshot.customer, snapshot.trigger, snapshot.at, snapshot.id


def told(shop: Settings) -> Told:
    """The snapshots on the topic."""
    decoder = msgspec.json.Decoder(Snapshot)
    return {described(decoder.decode(value)) for _, value in records(shop, FEATURES) if value is not None}


def produce(shop: Settings, events: Sequence[SimEvent], speed: float | None = None) -> None:
    """Send events as a replay does: to both topics, so many ms of event time a second, or all at once."""
    producer = Producer(shop.kafka_brokers, prefix=shop.topic_prefix)
    began = time.monotonic()
    for event in events:
        while speed is not None and (left := began + (event.at - events[0].at) / speed - time.monotonic()) > 0:
            producer.poll(min(left, 0.1))
        producer.send(event.topic, event.key, event.value)
    producer.flush()


def check(shop: Settings, events: list[SimEvent], triggers: Set[str] = TRIGGERS) -> None:
    """The snapshots come to be those of a shop that was watched, `triggers` among them."""
    want = watched(shop, events)
    assert triggers <= {trigger for _, trigger, _, _ in want}

    def differ() -> tuple[int, int]:
        found = told(shop)
        return len(want - found), len(found - want)

    until(differ, lambda found: found == (0, 0), "the snapshots of a watched shop, (missing, invented)", 60)


def test_a_log_read_from_the_beginning_tells_what_a_watched_shop_told(
    new_shop: Callable[..., Settings], logs: Path
) -> None:
    shop, events = new_shop(partitions=2, waiting_records=1_000), days(20)
    # The worst order: one topic is all there before the other begins.
    produce(shop, sorted(events, key=lambda event: event.topic))
    with worker(shop, logs):
        check(shop, events)


@pytest.mark.parametrize("speed", [None, SPEED])
def test_a_replay_at_any_speed_tells_what_a_watched_shop_told(
    speed: float | None, new_shop: Callable[..., Settings], logs: Path
) -> None:
    shop, events = new_shop(partitions=2), days(20)
    with worker(shop, logs):
        produce(shop, events, speed)
        check(shop, events)


def test_with_workers_that_come_and_are_killed_it_tells_the_same(new_shop: Callable[..., Settings], logs: Path) -> None:
    shop = new_shop(partitions=4, session_timeout_s=6.0, flush_interval_s=0.3)
    events = days(20)
    with worker(shop, logs) as first:
        produce(shop, events[: len(events) // 2])
        with worker(shop, logs):
            first.process.kill()
            produce(shop, events[len(events) // 2 :], 4 * SPEED)
            check(shop, events)


@pytest.mark.parametrize("ahead", [CLICKSTREAM, ORDERS])
def test_a_topic_far_ahead_of_the_other_waits_for_it(
    ahead: Topic, new_shop: Callable[..., Settings], logs: Path
) -> None:
    """``ahead: ann 0 min, and others' for a week · behind: ann 10 min``, and only in one of the partitions."""
    shop = new_shop(partitions=2, waiting_records=1_000)
    name, other = ("Product Added", "Order Completed")[:: 1 if ahead is CLICKSTREAM else -1]
    behind = ORDERS if ahead is CLICKSTREAM else CLICKSTREAM
    events = [act(ahead, name, "ann", 0), act(behind, other, "ann", 10 * MINUTE)]
    events += [act(ahead, name, f"customer-{n % 500}", n * MINUTE // 2) for n in range(1, UNEVEN)]
    produce(shop, events)
    with worker(shop, logs):
        check(shop, events, frozenset({"order"}))
    assert ("ann", "cart_abandoned", START + HOUR_MS) not in {snapshot[:3] for snapshot in told(shop)}


def act(topic: Topic, name: str, customer: str, after: int) -> SimEvent:
    """What a customer does so long after the beginning (ms)."""
    properties = {"product_id": "p", "quantity": 1, "order_id": f"{customer}-{after}", "total": 5, "products": []}
    said = {"type": "track", "event": name, "messageId": f"{customer}-{after}", "timestamp": START + after}
    value = orjson.dumps(said | {"userId": customer, "properties": properties})
    return SimEvent(topic.name, customer.encode(), value, START + after)
