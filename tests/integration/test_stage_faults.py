"""Workers that come, go, stop and are cut off, and a broker that dies, while orders flow: each is counted once."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from deploy.local.supervisor import Stack
from schemas.topics import ORDERS, PROFILES
from stream.kafka.follow import Follower
from stream.kafka.stage import group_id
from stream.settings import Settings
from tests.integration.kafka_tools import newest, profiles, until
from tests.integration.stacks import local_settings, running
from tests.integration.workers import Orders, members, order, worker

pytestmark = pytest.mark.integration

SESSION_S = 6.0
FLUSH_S = 0.5


@pytest.fixture
def faulty(new_shop: Callable[..., Settings]) -> Settings:
    """A shop whose group misses a silent worker soon."""
    return new_shop(partitions=4, session_timeout_s=SESSION_S, flush_interval_s=FLUSH_S)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "workers"
    folder.mkdir()
    return folder


def committed(shop: Settings) -> int:
    """The sum of the profile group's committed offsets on `orders`."""
    consumer = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": group_id(shop, "profile")})
    try:
        places = [TopicPartition(shop.topic(ORDERS.name), number) for number in range(shop.partitions)]
        return sum(max(0, int(place.offset)) for place in consumer.committed(places, timeout=10))
    finally:
        consumer.close()


@contextmanager
def followed(shop: Settings) -> Iterator[dict[bytes, bytes]]:
    """What a follower of `profiles` has seen, newest by key; it must still run at the end."""
    seen: dict[bytes, bytes] = {}

    async def follow() -> None:
        await Follower(shop.kafka_brokers, shop.topic(PROFILES.name), accept).run()

    def accept(message: Message) -> None:
        seen[message.key()] = message.value()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running_follower = asyncio.run_coroutine_threadsafe(follow(), loop)
    try:
        yield seen
        assert not running_follower.done(), running_follower.exception()
    finally:
        running_follower.cancel()
        wait([running_follower], timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_workers_come_and_go_while_orders_flow(faulty: Settings, logs: Path) -> None:
    with Orders(faulty) as orders, worker(faulty, logs) as first:
        orders.flowing(1_000)
        with worker(faulty, logs) as second:
            until(lambda: members(faulty), lambda found: found == ("STABLE", [6, 6]), "both share the partitions")
            orders.flowing(2_000)
            # In mid-flow, in order: what it has done is final, and its partitions go to the first.
            assert second.stop() == 0
        until(lambda: members(faulty), lambda found: found == ("STABLE", [12]), "the first has all again")
        orders.flowing(1_000)
        orders.stop()
        orders.check()
        assert first.process.poll() is None


def test_a_worker_stopped_in_order_leaves_nothing_to_be_read_again(faulty: Settings, logs: Path) -> None:
    with Orders(faulty) as orders:
        with worker(faulty, logs) as only:
            orders.flowing(2_000)
            assert only.stop() == 0
        held = orders.counted().total()
        assert held > 0
        # State and commits say the same: neither is ahead of the other.
        assert committed(faulty) == held
        orders.stop()
        with worker(faulty, logs):
            orders.check()


def test_a_worker_cut_off_for_longer_than_a_session_overwrites_nothing_when_it_is_back(
    faulty: Settings, logs: Path
) -> None:
    with Orders(faulty) as orders, worker(faulty, logs) as stopped, worker(faulty, logs):
        until(lambda: members(faulty), lambda found: found == ("STABLE", [6, 6]), "both share the partitions")
        orders.flowing(1_000)
        stopped.signal(signal.SIGSTOP)
        try:
            until(lambda: members(faulty), lambda found: found == ("STABLE", [12]), "the other has taken over")
            orders.flowing(1_000)
            orders.stop()
            orders.check()
        finally:
            stopped.signal(signal.SIGCONT)
        until(lambda: members(faulty), lambda found: found == ("STABLE", [6, 6]), "it is back in the group")
        orders.check(seconds=0)


def test_a_broker_killed_in_mid_flow_loses_and_doubles_nothing(tmp_path: Path) -> None:
    shop = local_settings(tmp_path / "shop", partitions=4, session_timeout_s=SESSION_S, flush_interval_s=FLUSH_S)
    with running(Stack(shop, ["kafka", "topics", "profile"])) as stack, followed(shop) as seen, Orders(shop) as orders:
        orders.flowing(1_500)
        stack.kill("kafka")
        until(lambda: stack.state().parts["kafka"].restarts, lambda times: times == 1, "the broker is started again")
        orders.flowing(1_500)
        orders.stop()
        orders.check()
        # Whoever follows a topic goes on as well.
        until(lambda: dict(seen), lambda found: found == newest(shop, PROFILES), "the follower has seen all profiles")


def test_only_what_transactions_commit_is_counted_and_their_marks_hold_nothing_up(faulty: Settings, logs: Path) -> None:
    producer = Producer(
        {
            "bootstrap.servers": faulty.kafka_brokers,
            "partitioner": "murmur2_random",
            "transactional.id": f"{faulty.topic_prefix}storefront",
        }
    )
    producer.init_transactions(30)
    customers = ("ann", "bob", "cid")
    topic = faulty.topic(ORDERS.name)
    with worker(faulty, logs) as only:
        for number in range(6):
            producer.begin_transaction()
            for customer in customers:
                producer.produce(topic, order(customer, f"{customer}-{number}", 125), customer.encode())
            if number % 2:
                producer.abort_transaction(30)
            else:
                producer.commit_transaction(30)

        def lags() -> set[float]:
            found = only.metrics()
            return {value for name, value in found.items() if name.startswith("footfall_lag_records")}

        def money() -> dict[str, dict[str, int]]:
            return {name: profile.money for name, profile in profiles(faulty).items()}

        want = {customer: {"USD": 375} for customer in customers}
        until(money, lambda found: found == want, "what was committed is counted")
        # Idle partitions follow the wall clock only once they are read to their end, marks included.
        until(lags, lambda found: found == {0.0}, "every partition is read to its end")
        assert money() == want
