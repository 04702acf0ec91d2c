"""A worker that starts over a store that is compacted, cut, emptied, made anew, large or broken, or over cut inputs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.topics import ORDERS, PROFILES, Topic
from stream.features.codec import encode_profile
from stream.features.profile import Profile
from stream.kafka.admin import create_topics, existing_topics
from stream.kafka.partitioner import home
from stream.settings import Settings
from tests.integration.administration import administer, configure
from tests.integration.kafka_tools import profiles, records, send, until
from tests.integration.workers import Worker, order, worker

pytestmark = pytest.mark.integration

CUSTOMERS = [f"customer-{n}" for n in range(40)]
ORDERS_EACH = 5
LARGE = 50_000


@pytest.fixture
def frugal(new_shop: Callable[..., Settings]) -> Settings:
    """A shop whose workers are missed soon and look around often."""
    return new_shop(partitions=2, session_timeout_s=6.0, flush_interval_s=0.2, stall_s=6.0)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "workers"
    folder.mkdir()
    return folder


@contextmanager
def stopped_in_order(shop: Settings, logs: Path) -> Iterator[Worker]:
    with worker(shop, logs) as running:
        yield running
        assert running.stop() == 0


def ordered(shop: Settings, numbers: range) -> None:
    """An order of every customer for each number."""
    send(shop, ORDERS, [(c.encode(), order(c, f"{c}-{n}", 100)) for n in numbers for c in CUSTOMERS])


def counted(shop: Settings) -> dict[str, int]:
    return {customer: profile.orders_total for customer, profile in profiles(shop).items()}


def until_counted(shop: Settings, each: int) -> None:
    until(lambda: counted(shop), lambda found: found == dict.fromkeys(CUSTOMERS, each), f"{each} orders of each")


def bounds(shop: Settings, topic: Topic) -> dict[int, tuple[int, int]]:
    """First offset and end of every partition."""
    consumer = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": "test"})
    try:
        places = (TopicPartition(shop.topic(topic.name), number) for number in range(shop.partitions))
        return {place.partition: consumer.get_watermark_offsets(place, timeout=10) for place in places}
    finally:
        consumer.close()


def cut(shop: Settings, topic: Topic, share: float) -> None:
    """Delete the oldest `share` of every partition."""
    name = shop.topic(topic.name)
    places = [TopicPartition(name, n, low + int((end - low) * share)) for n, (low, end) in bounds(shop, topic).items()]
    administer(shop, lambda client: client.delete_records(places))


def make_anew(shop: Settings, topic: Topic) -> None:
    """Delete a topic and create it again."""
    name = shop.topic(topic.name)
    administer(shop, lambda client: client.delete_topics([name]))
    until(lambda: existing_topics(shop), lambda found: name not in found, "the topic is gone")
    create_topics(shop)


def rewound(shop: Settings) -> None:
    """The way out that the errors name; a killed worker is missed only after a session."""
    command = (sys.executable, "-m", "deploy.cli", "rewind")

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, env=os.environ | shop.environment(), capture_output=True, text=True, timeout=60, check=False
        )

    until(run, lambda done: done.returncode == 0, "the group is rewound")


def expire(shop: Settings, share: float) -> None:
    """What a cleanup.policy that is not compact alone does to a store."""
    configure(shop, PROFILES, {"cleanup.policy": "compact,delete"})
    cut(shop, PROFILES, share)


def refused(shop: Settings, log: Path) -> str:
    """What a worker says that does not start."""
    worker = Worker(shop, log)
    try:
        assert worker.process.wait(60) == 1
    finally:
        worker.process.kill()
    return worker.log.read_text()


SPOILED: dict[str, Callable[[Settings], None]] = {
    "all of it deleted": lambda shop: expire(shop, 1.0),
    "made anew": lambda shop: make_anew(shop, PROFILES),
}


@pytest.mark.parametrize("what", SPOILED)
def test_an_emptied_store_is_refused_and_made_anew_by_rewinding(what: str, frugal: Settings, logs: Path) -> None:
    with stopped_in_order(frugal, logs):
        ordered(frugal, range(ORDERS_EACH))
        until_counted(frugal, ORDERS_EACH)
    SPOILED[what](frugal)
    said = refused(frugal, logs / "refused.log")
    assert "it was emptied or made anew. Stop the stage's workers and run `footfall rewind`" in said
    rewound(frugal)
    with stopped_in_order(frugal, logs):
        ordered(frugal, range(ORDERS_EACH, ORDERS_EACH + 1))
        until_counted(frugal, ORDERS_EACH + 1)


def test_a_store_that_lost_its_beginning_is_told_of_and_completed_by_rewinding(frugal: Settings, logs: Path) -> None:
    with stopped_in_order(frugal, logs):
        ordered(frugal, range(ORDERS_EACH))
        until_counted(frugal, ORDERS_EACH)
    expire(frugal, 0.5)
    assert 0 < len(counted(frugal)) < len(CUSTOMERS)
    rewound(frugal)
    with stopped_in_order(frugal, logs) as over_what_is_left:
        until_counted(frugal, ORDERS_EACH)
        told = {name: value for name, value in over_what_is_left.metrics().items() if "store_incomplete" in name}
        assert sum(told.values()) == frugal.partitions
        assert "and what only they held" in over_what_is_left.log.read_text()


def test_a_compacted_store_restores_what_was_newest(frugal: Settings, logs: Path) -> None:
    settings = {
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0",
        "min.compaction.lag.ms": "0",
        "delete.retention.ms": "0",
    }
    configure(frugal, PROFILES, settings)
    with stopped_in_order(frugal, logs):
        for number in range(ORDERS_EACH):
            ordered(frugal, range(number, number + 1))
            until_counted(frugal, number + 1)
    ends = sum(end for _, end in bounds(frugal, PROFILES).values())
    assert ends >= ORDERS_EACH * len(CUSTOMERS)
    until(lambda: len(records(frugal, PROFILES)), lambda left: left < ends, "the topic is compacted")
    with stopped_in_order(frugal, logs) as again:
        ordered(frugal, range(ORDERS_EACH, ORDERS_EACH + 1))
        until_counted(frugal, ORDERS_EACH + 1)
        assert "has lost" not in again.log.read_text()


def test_a_large_store_is_restored_and_goes_on_from_what_it_held(frugal: Settings, logs: Path) -> None:
    at = int(time.time() * 1000)
    names = [f"customer-{n}" for n in range(LARGE)]
    producer = Producer({"bootstrap.servers": frugal.kafka_brokers, "queue.buffering.max.messages": LARGE + 1})
    for name in names:
        profile = Profile(name, first=at, last=at, touched=at, orders_total=3)
        number = home(name, frugal.partitions)
        producer.produce(frugal.topic(PROFILES.name), encode_profile(profile), name.encode(), number)
    assert producer.flush(60) == 0
    with stopped_in_order(frugal, logs) as only:
        assert only.metrics()['footfall_restored_total{stage="profile"}'] == LARGE
        ordered(frugal, range(1))
        until(lambda: counted(frugal)[CUSTOMERS[0]], lambda total: total == 4, "it is added to")
    found = counted(frugal)
    assert len(found) == LARGE
    assert {found[name] for name in names if name not in CUSTOMERS} == {3}


def test_a_broken_record_stops_the_worker_with_its_place_and_the_way_out(frugal: Settings, logs: Path) -> None:
    with stopped_in_order(frugal, logs):
        ordered(frugal, range(ORDERS_EACH))
        until_counted(frugal, ORDERS_EACH)
    customer = CUSTOMERS[0]
    number = home(customer, frugal.partitions)
    offset = bounds(frugal, PROFILES)[number][1]
    send(frugal, PROFILES, [(customer.encode(), b"\xc1 no profile")])
    said = refused(frugal, logs / "refused.log")
    assert f"{frugal.topic(PROFILES.name)}-{number} cannot be restored" in said
    assert f"the first at offset {offset} with the key {customer.encode()!r}" in said
    # As it says: forget this one, and make it anew.
    producer = Producer({"bootstrap.servers": frugal.kafka_brokers})
    producer.produce(frugal.topic(PROFILES.name), None, customer.encode(), number)
    assert producer.flush(30) == 0
    rewound(frugal)
    with stopped_in_order(frugal, logs):
        until_counted(frugal, ORDERS_EACH)


def test_inputs_deleted_before_they_were_read_are_counted_and_told_of(frugal: Settings, logs: Path) -> None:
    with stopped_in_order(frugal, logs):
        ordered(frugal, range(1))
        until_counted(frugal, 1)
    ordered(frugal, range(1, 3))
    cut(frugal, ORDERS, 1.0)
    with stopped_in_order(frugal, logs) as late:
        ordered(frugal, range(3, 4))
        until_counted(frugal, 2)
        name = f'footfall_lost_records_total{{stage="profile",topic="{frugal.topic(ORDERS.name)}"}}'
        until(lambda: late.metrics().get(name, 0), lambda lost: lost == 2 * len(CUSTOMERS), "what is lost is counted")
        assert "were deleted before they were read" in late.log.read_text()


def test_an_input_made_anew_is_refused_instead_of_being_taken_for_old(frugal: Settings, logs: Path) -> None:
    with stopped_in_order(frugal, logs):
        ordered(frugal, range(ORDERS_EACH))
        until_counted(frugal, ORDERS_EACH)
    make_anew(frugal, ORDERS)
    assert "it was deleted and made anew" in refused(frugal, logs / "refused.log")
