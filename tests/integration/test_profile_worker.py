"""The profile stage as a real worker on the real broker: every kind of input, and crashes."""

import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from deploy.local.supervisor import Stack
from schemas.topics import CLICKSTREAM, DEAD_LETTERS, ORDERS, Topic
from stream.kafka.partitioner import home
from stream.settings import Settings
from tests.integration.kafka_tools import profiles, send, until
from tests.integration.stacks import running

pytestmark = pytest.mark.integration

AT = 1_714_564_800
PARTITIONS = 2


def event(customer: str, message: str, name: str = "Product Viewed", **properties: Any) -> bytes:
    return json.dumps(
        {
            "type": "track",
            "event": name,
            "messageId": message,
            "timestamp": AT,
            "userId": customer,
            "properties": {"product_id": "p"} | properties,
        }
    ).encode()


def order(customer: str, number: int, total: float = 10.0) -> bytes:
    properties = {"order_id": f"{customer}-{number}", "total": total, "products": []}
    return event(customer, f"order-{customer}-{number}", "Order Completed", **properties)


def dead_letters(shop: Settings) -> list[tuple[str, bytes]]:
    """Reason and raw value of every dead letter."""
    consumer = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": "test", "enable.auto.commit": False})
    found = []
    try:
        for number in range(shop.partitions):
            place = TopicPartition(shop.topic(DEAD_LETTERS.name), number)
            low, high = consumer.get_watermark_offsets(place, timeout=10)
            consumer.assign([TopicPartition(place.topic, number, low)])
            for _ in range(high - low):
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                headers = dict(message.headers() or [])
                found.append((headers["footfall-reason"].decode(), message.value() or b""))
    finally:
        consumer.close()
    return found


def counted(shop: Settings) -> dict[str, int]:
    return {customer: profile.events for customer, profile in profiles(shop).items()}


def test_bad_input_of_each_kind_is_kept_with_its_reason_and_stops_nobody(shop: Settings) -> None:
    bad = {
        b"not json": "not_json",
        b'{"type": "\xff"}': "not_utf8",
        event("c", "1").replace(b'"product_id": "p"', b'"sku": 1'): "missing_field",
        event("c", "2", product_id=[1]): "wrong_type",
        event("c", "3", price=-1): "negative_money",
        event("c", "4", name_="x" * 2_000_000): "too_large",
        event("c", "5").replace(str(AT).encode(), b'"1970-01-01T00:00:00Z"'): "timestamp_too_old",
        event("c", "6").replace(str(AT).encode(), b'"2100-01-01T00:00:00Z"'): "timestamp_ahead",
        event("c", "7").replace(b'"userId": "c"', b'"userId": null'): "no_customer",
    }
    with running(Stack(shop, ["profile"])):
        send(shop, CLICKSTREAM, [(b"c", raw) for raw in bad])
        send(shop, CLICKSTREAM, [(b"c", event("c", "good")), (b"c", event("c", "unknown", "Quiz Finished"))])
        until(lambda: counted(shop), lambda found: found == {"c": 2}, "the good events are counted")
        letters = until(lambda: dead_letters(shop), lambda found: len(found) == len(bad), "dead letters")
    assert {raw: reason for reason, raw in letters} == bad


@pytest.mark.parametrize("codec", ["lz4", "snappy", "zstd", "gzip"])
def test_a_compressed_batch_is_read_like_any_other(codec: str, shop: Settings) -> None:
    with running(Stack(shop, ["profile"])):
        records = [(b"c", event("c", f"{codec}-{n}")) for n in range(50)]
        send(shop, CLICKSTREAM, records, **{"compression.type": codec, "linger.ms": 100})
        until(lambda: counted(shop), lambda found: found == {"c": 50}, f"{codec} is read")


def test_null_keys_wrong_keys_and_other_partitioners_all_end_in_the_customers_own_profile(shop: Settings) -> None:
    customers = [f"customer-{n}" for n in range(12)]
    keys: list[Callable[[str], bytes | None]] = [lambda _: None, lambda _: b"always the same", str.encode]
    with running(Stack(shop, ["profile"])):
        for number, key in enumerate(keys):
            records = [(key(c), event(c, f"{number}-{c}")) for c in customers]
            send(shop, CLICKSTREAM, records, partitioner="consistent_random")
        want = dict.fromkeys(customers, len(keys))
        until(lambda: counted(shop), lambda found: found == want, "every event in its customer's profile")
    assert {home(customer, PARTITIONS) for customer in customers} == {0, 1}


def test_killed_workers_lose_no_order_and_count_none_twice(shop: Settings) -> None:
    rng = random.Random(5)
    customers = [f"customer-{n}" for n in range(300)]
    waves = [[(c, n) for c in customers for n in range(wave * 8, wave * 8 + 8)] for wave in range(4)]
    with running(Stack(shop, ["profile"])) as stack:
        for wave in waves:
            rng.shuffle(wave)
            send(shop, ORDERS, [(c.encode(), order(c, n, total=n + 0.25)) for c, n in wave])
            # In the middle of the wave: some of it is applied, some flushed, some neither.
            stack.kill("profile")
        want = Counter(c for wave in waves for c, _ in wave)

        def orders() -> Counter[str]:
            return Counter({customer: profile.orders_total for customer, profile in profiles(shop).items()})

        until(orders, lambda found: found == want, "every order is counted once", 120)
        revenue = sum(round((n + 0.25) * 100) for wave in waves for _, n in wave)
        assert sum(profile.money["USD"] for profile in profiles(shop).values()) == revenue


def test_offsets_are_committed_up_to_the_end_and_a_restarted_worker_reads_nothing_twice(shop: Settings) -> None:
    with running(Stack(shop, ["profile"])) as stack:
        send(shop, CLICKSTREAM, [(f"c{n}".encode(), event(f"c{n}", str(n))) for n in range(500)])
        until(lambda: committed(shop, CLICKSTREAM), lambda found: found == 500, "commits reach the end")
        before = profiles(shop)
        stack.kill("profile")
        until(lambda: stack.state().parts["profile"].restarts, lambda n: n == 1, "the worker is started again")
        send(shop, CLICKSTREAM, [(b"c0", event("c0", "new"))])
        until(lambda: counted(shop)["c0"], lambda n: n == 2, "the restarted worker goes on")
    after = profiles(shop)
    assert {c: p.events for c, p in after.items() if c != "c0"} == {c: p.events for c, p in before.items() if c != "c0"}


def committed(shop: Settings, topic: Topic) -> int:
    """The sum of the profile group's committed offsets on a topic."""
    group = f"{shop.topic_prefix}footfall-profile"
    consumer = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": group, "enable.auto.commit": False})
    try:
        places = [TopicPartition(shop.topic(topic.name), number) for number in range(shop.partitions)]
        return sum(max(0, int(place.offset)) for place in consumer.committed(places, timeout=10))
    finally:
        consumer.close()
