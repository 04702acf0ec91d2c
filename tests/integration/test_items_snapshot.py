"""The item index over a real broker: written by one process, taken over by another, and followed on from there."""

import asyncio

import pytest

from schemas.behaviours import Behaviour
from schemas.outputs import Interaction, encode
from schemas.topics import INTERACTIONS
from stream.recommender.items import Items
from stream.settings import Settings
from tests.integration.kafka_tools import send

pytestmark = pytest.mark.integration


def views(customers: range) -> list[tuple[bytes | None, bytes]]:
    return [
        (
            f"c{n}".encode(),
            encode(Interaction(customer=f"c{n}", session=1, item=item, behaviour=Behaviour.VIEW, at=n)),
        )
        for n in customers
        for item in ("tent", "stove", f"lamp-{n % 9}")
    ]


async def read_all(items: Items, shop: Settings) -> None:
    followers = items.followed_by(shop)
    following = asyncio.create_task(items.follow(shop, followers))
    waiting = [asyncio.create_task(follower.caught_up.wait()) for follower in followers]
    while not all(task.done() for task in waiting) and not following.done():
        await asyncio.wait({following, *waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting = [task for task in waiting if not task.done()]
    following.cancel()
    assert not waiting


async def test_a_snapshot_is_taken_over_and_followed_on(shop: Settings) -> None:
    send(shop, INTERACTIONS, views(range(50)))
    first = Items()
    await read_all(first, shop)
    await first.publish(shop)
    send(shop, INTERACTIONS, views(range(50, 80)))
    second = Items()
    await read_all(second, shop)
    assert second.generation == 1
    assert sum(second.offsets.values()) == 240
    whole = second.index.memory
    tent = whole.slots.find("tent")
    assert tent is not None
    # Eighty views within a second: each counted once, by the snapshot or behind it.
    assert whole.popular[tent] == pytest.approx(80.0, rel=1e-6)
    assert len(second.index.shoppers) == 80
