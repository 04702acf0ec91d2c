"""The profile stage over raw records: dead letters, rerouting, and state that comes back."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.errors import Reason
from schemas.outputs import Snapshot
from stream.features.codec import decode_profile
from stream.features.marker import MARKER
from stream.kafka.partitioner import home
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.profile import ProfilePartition

AT = 1_700_000_000_000


def partition(number: int = 0) -> ProfilePartition:
    return ProfilePartition(number, Settings(partitions=4))


def a_customer(number: int = 0) -> str:
    return next(f"customer-{i}" for i in range(100) if home(f"customer-{i}", 4) == number)


def changed(state: ProfilePartition) -> list[tuple[bytes, bytes | None]]:
    """The profiles that a barrier would write now, without the clock that goes with them."""
    return [(key, value) for key, value in state.changes() if key != MARKER]


def viewed(customer: str, at: int = AT, product: object = "p", message: str = "m") -> bytes:
    return json.dumps(
        {
            "type": "track",
            "event": "Product Viewed",
            "messageId": message,
            "timestamp": at,
            "userId": customer,
            "properties": {"product_id": product},
        }
    ).encode()


def ordered(customer: str, order: str, total: float, message: str) -> bytes:
    return json.dumps(
        {
            "type": "track",
            "event": "Order Completed",
            "messageId": message,
            "timestamp": AT,
            "userId": customer,
            "properties": {"order_id": order, "total": total, "products": []},
        }
    ).encode()


async def test_a_broken_event_goes_to_dead_letters_as_it_came_and_the_others_go_on(
    run: Callable[..., Run], out: Any
) -> None:
    customer = a_customer()
    broken = b'{"type": "track", "broken'
    state = partition()
    await state.process(run(viewed(customer, message="1"), broken, viewed(customer, message="2"), first=40), out)
    (letter,) = out.on("dead-letters")
    assert letter.value == broken
    assert letter.headers["footfall-reason"] == Reason.NOT_JSON.value.encode()
    assert letter.headers["footfall-offset"] == b"41"
    assert letter.headers["footfall-topic"] == b"clickstream"
    ((_, stored),) = changed(state)
    assert stored is not None
    assert decode_profile(stored).events == 2


@pytest.mark.parametrize(
    ("at", "reason"),
    [("2100-01-01T00:00:00Z", Reason.TIMESTAMP_AHEAD), ("1970-01-01T00:00:00Z", Reason.TIMESTAMP_TOO_OLD)],
)
async def test_an_impossible_time_goes_to_dead_letters(
    at: str, reason: Reason, run: Callable[..., Run], out: Any
) -> None:
    raw = viewed(a_customer()).replace(str(AT).encode(), json.dumps(at).encode())
    await partition().process(run(raw), out)
    (letter,) = out.on("dead-letters")
    assert letter.headers["footfall-reason"] == reason.value.encode()


async def test_a_tombstone_on_an_input_topic_is_a_dead_letter(run: Callable[..., Run], out: Any) -> None:
    await partition().process(run(None), out)
    (letter,) = out.on("dead-letters")
    assert (letter.value, letter.headers["footfall-reason"]) == (b"", Reason.EMPTY.value.encode())


@pytest.mark.parametrize("key", [None, b"another key"])
async def test_an_event_on_a_partition_that_is_not_its_customers_is_sent_home(
    key: bytes | None, run: Callable[..., Run], out: Any
) -> None:
    stranger = a_customer(number=2)
    raw = viewed(stranger)
    state = partition(number=0)
    await state.process(run(raw, key=key), out)
    (sent,) = out.sent
    assert (sent.topic, sent.key, sent.value, sent.partition) == ("clickstream", stranger.encode(), raw, 2)
    assert changed(state) == []


async def test_the_right_customer_with_a_null_key_is_simply_counted(run: Callable[..., Run], out: Any) -> None:
    state = partition()
    await state.process(run(viewed(a_customer()), key=None), out)
    assert out.on("clickstream") == []
    assert len(changed(state)) == 1


async def test_an_unknown_event_is_counted_and_rejected_nowhere(run: Callable[..., Run], out: Any) -> None:
    raw = viewed(a_customer()).replace(b"Product Viewed", b"Quiz Finished")
    state = partition()
    await state.process(run(raw), out)
    assert out.sent == []
    assert len(changed(state)) == 1


async def test_a_profile_restored_skips_what_it_holds_and_counts_what_is_new(run: Callable[..., Run], out: Any) -> None:
    customer = a_customer()
    first = run(ordered(customer, "o1", 10.25, "1"), ordered(customer, "o2", 20, "2"), topic="orders")
    state = partition()
    await state.process(first, out)
    stored = list(state.changes())
    restarted = partition()
    for key, value in stored:
        restarted.restore(key, value)
    await restarted.process(first, out)
    await restarted.process(run(ordered(customer, "o3", 0.05, "3"), topic="orders", first=2), out)
    ((_, value),) = changed(restarted)
    assert value is not None
    profile = decode_profile(value)
    assert (profile.orders_total, profile.money) == (3, {"USD": 3030})


async def test_an_order_asks_to_be_scored_with_every_feature(run: Callable[..., Run], out: Any) -> None:
    await partition().process(run(ordered(a_customer(), "o1", 10, "1"), topic="orders"), out)
    (sent,) = out.on("features")
    snapshot = msgspec.json.decode(sent.value, type=Snapshot)
    assert (snapshot.trigger, snapshot.features["orders_total"]) == ("order", 1)
