"""The profile stage and the merges topic: what it sends there, to whom, when, and what it makes of what it reads."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.behaviours import Behaviour
from schemas.errors import Reason
from schemas.merges import Carry, Forward, Link, decode_merge
from schemas.outputs import Interaction, encode
from stream.features.codec import decode_profile, encode_profile
from stream.features.marker import MARKER
from stream.features.profile import Profile
from stream.kafka.partitioner import home
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.profile import ProfilePartition

AT = 1_700_000_000_000
DEVICE = next(f"device-{n}" for n in range(100) if home(f"device-{n}", 4) == 0)
USER = next(f"user-{n}" for n in range(100) if home(f"user-{n}", 4) == 2)


def viewed(message: str, *, device: str = "", user: str = "", at: int = AT) -> bytes:
    ids = {name: value for name, value in (("anonymousId", device), ("userId", user)) if value}
    told = {"type": "track", "event": "Product Viewed", "messageId": message, "timestamp": at}
    return json.dumps(told | ids | {"properties": {"product_id": "p"}}).encode()


def written(state: ProfilePartition) -> list[tuple[bytes, bytes | None]]:
    return [(key, value) for key, value in state.changes() if key != MARKER]


def stored(state: ProfilePartition) -> dict[str, Profile]:
    return {key.decode(): decode_profile(value) for key, value in written(state) if value is not None}


async def test_an_event_with_both_ids_is_told_to_the_devices_partition(run: Callable[..., Run], out: Any) -> None:
    state = ProfilePartition(2, Settings(partitions=4))
    records = run(viewed("1", device=DEVICE, user=USER), viewed("2", device=DEVICE, user=USER), viewed("3", user=USER))
    await state.process(records, out)
    await state.process(records, out)
    (sent,) = out.on("merges")
    assert (sent.key, sent.partition) == (DEVICE.encode(), 0)
    assert decode_merge(sent.value) == Link(device=DEVICE, user=USER, at=AT)


async def test_a_link_sends_the_devices_profile_after_the_barrier_and_later_events_one_by_one(
    run: Callable[..., Run], out: Any
) -> None:
    state = ProfilePartition(0, Settings(partitions=4))
    await state.process(run(viewed("1", device=DEVICE)), out)
    await state.process(run(encode(Link(device=DEVICE, user=USER, at=AT)), topic="merges", first=7), out)
    late = viewed("2", device=DEVICE, at=AT - 1)
    await state.process(run(late, first=1), out)
    before = stored(state)[DEVICE]
    assert out.on("merges") == []
    state.durable(out)
    forwarded, sent = out.on("merges")
    assert decode_merge(forwarded.value) == Forward(
        user=USER, topic="clickstream", partition=0, offset=1, arrived=AT, event=late
    )
    assert (sent.key, sent.partition) == (USER.encode(), 2)
    carry = decode_merge(sent.value)
    assert isinstance(carry, Carry)
    assert (carry.generation, decode_profile(carry.profile).events) == (7, 1)
    # Restored from before, the same is sent again after its first barrier.
    restarted = ProfilePartition(0, Settings(partitions=4))
    restarted.restore(DEVICE.encode(), encode_profile(before))
    out.sent.clear()
    restarted.durable(out)
    assert [one.value for one in out.on("merges")] == [forwarded.value, sent.value]
    after = stored(restarted)[DEVICE]
    assert before.ids is not None
    assert after.ids is not None
    assert (max(before.ids.outgoing), len(before.ids.outgoing), after.ids.outgoing) == (7, 2, {})


async def test_what_comes_for_a_user_is_hers_and_counts_once(run: Callable[..., Run], out: Any) -> None:
    device = ProfilePartition(0, Settings(partitions=4))
    await device.process(run(viewed("1", device=DEVICE)), out)
    ((_, raw),) = written(device)
    assert raw is not None
    state = ProfilePartition(2, Settings(partitions=4))
    carry = encode(Carry(device=DEVICE, user=USER, at=AT, generation=3, profile=raw))
    event = viewed("2", device=DEVICE)
    forward = encode(Forward(user=USER, topic="clickstream", partition=0, offset=1, arrived=AT, event=event))
    await state.process(run(carry, carry, forward, forward, topic="merges"), out)
    user = stored(state)[USER]
    assert (user.events, user.known, user.applied) == (2, True, {2: 3})


async def test_a_devices_predictions_are_ended(run: Callable[..., Run], out: Any) -> None:
    state = ProfilePartition(0, Settings(partitions=4))
    await state.process(run(*(viewed(str(n), device=DEVICE, at=AT + n) for n in range(4))), out)
    assert len(out.on("features")) == 1
    await state.process(run(encode(Link(device=DEVICE, user=USER, at=AT + 9)), topic="merges"), out)
    last = msgspec.json.decode(out.on("interactions")[-1].value, type=Interaction)
    assert (last.customer, last.behaviour, last.at, last.item) == (DEVICE, Behaviour.IDENTIFY, AT + 9, "")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", Reason.NOT_JSON),
        (b'{"kind": "divorce"}', Reason.BAD_VALUE),
        (b'{"kind": "link", "device": "d", "user": ""}', Reason.BAD_VALUE),
        (b'{"kind": "link", "device": "d", "user": "u"}', Reason.MISSING_FIELD),
        (encode(Carry(device=DEVICE, user=USER, at=AT, generation=1, profile=b"?")), Reason.BAD_VALUE),
        (None, Reason.EMPTY),
    ],
)
async def test_what_cannot_be_read_goes_to_dead_letters(
    raw: bytes | None, reason: Reason, run: Callable[..., Run], out: Any
) -> None:
    state = ProfilePartition(2, Settings(partitions=4))
    await state.process(run(raw, topic="merges"), out)
    (letter,) = out.on("dead-letters")
    assert (letter.value, letter.headers["footfall-reason"]) == (raw or b"", reason.value.encode())
    assert written(state) == []


async def test_a_forwarded_event_that_is_refused_is_the_letter_it_would_have_been(
    run: Callable[..., Run], out: Any
) -> None:
    event = viewed("1", device=DEVICE, at=AT + 30 * 86_400_000)
    forward = Forward(user=USER, topic="clickstream", partition=3, offset=17, arrived=AT, event=event)
    await ProfilePartition(2, Settings(partitions=4)).process(run(encode(forward), topic="merges"), out)
    (letter,) = out.on("dead-letters")
    assert letter.value == event
    assert letter.headers["footfall-reason"] == Reason.TIMESTAMP_AHEAD.value.encode()
    place = [letter.headers[f"footfall-{name}"] for name in ("topic", "partition", "offset")]
    assert place == [b"clickstream", b"3", b"17"]
