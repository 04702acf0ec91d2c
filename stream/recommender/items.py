"""The item index of one process: restored from its last snapshot, then following `interactions` and `catalogue`."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from online.index import ItemIndex
from online.recommend import state
from schemas.outputs import Interaction
from schemas.topics import CATALOGUE, INTERACTIONS, ITEMS
from stream.kafka.follow import Follower
from stream.kafka.producer import DeliveryFailed, Producer
from stream.kafka.restore import read_partition
from stream.recommender.catalogue import Catalogue
from stream.recommender.snapshot import Parts, cut
from stream.settings import Settings

log = logging.getLogger("footfall.items")
_interactions = msgspec.json.Decoder(Interaction)


class Record(Protocol):
    """What is read of a Kafka message."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def partition(self) -> int | None: ...
    def offset(self) -> int | None: ...


class Items:
    """The index, and up to where (exclusive) it has learned each partition of `interactions`.

    The log is read from its beginning also behind a snapshot, which names no customer: of what the snapshot has
    learned already, only what concerns the customers is taken in again. The catalogue is read whole each time.
    """

    def __init__(self, currency: str = "USD") -> None:
        self.index = ItemIndex()
        self.catalogue = Catalogue(lambda: self.index, currency)
        self.offsets: dict[int, int] = {}
        self.generation = 0

    def restore(self, parts: Parts) -> None:
        """Begin with a snapshot; one that is broken is left out, the log says it all again."""
        try:
            found = parts.join()
            if found is None:
                return
            head, data = found
            self.index = state.load(data)
        except ValueError as error:
            log.error("the snapshot of the item index is refused: %s", error)
            return
        self.offsets, self.generation = dict(head.offsets), head.generation

    def accept(self, record: Record) -> None:
        """One record of `interactions`; one without a value says that the customer who is its key is forgotten."""
        partition, offset, value = record.partition() or 0, record.offset() or 0, record.value()
        known = offset < self.offsets.get(partition, 0)
        if value is None:
            self.index.forget((record.key() or b"").decode())
        else:
            take = self.index.remember_one if known else self.index.learn_one
            for interaction in _interactions.decode(value).each():
                take(interaction, partition)
        if not known:
            self.offsets[partition] = offset + 1

    async def follow(self, settings: Settings, followers: Sequence[Follower] | None = None) -> None:
        """Restore, and follow the topics until cancelled; `followers` are those made by `followed_by`."""
        parts = Parts()
        topic = settings.topic(ITEMS.name)
        await asyncio.to_thread(read_partition, settings.kafka_brokers, topic, 0, parts.accept)
        self.restore(parts)
        async with asyncio.TaskGroup() as group:
            for follower in followers or self.followed_by(settings):
                group.create_task(follower.run())

    def followed_by(self, settings: Settings) -> tuple[Follower, ...]:
        """What will read `interactions` and `catalogue` into this index."""
        brokers = settings.kafka_brokers
        return (
            Follower(brokers, settings.topic(INTERACTIONS.name), self.accept),
            Follower(brokers, settings.topic(CATALOGUE.name), self.catalogue.accept),
        )

    async def publish(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        """Write a snapshot, the next generation. Raises `DeliveryFailed`."""
        data = state.dump(self.index, customers=False)
        offsets, generation, at = dict(self.offsets), self.generation + 1, int(now() * 1000)
        await asyncio.to_thread(_write, settings, data, generation, offsets, at)
        self.generation = generation

    async def publish_often(self, settings: Settings, mine: Callable[[], bool]) -> None:
        """Write a snapshot every so often while it is `mine` to write and something is new; until cancelled."""
        written: dict[int, int] = {}
        while True:
            await asyncio.sleep(settings.items_snapshot_s)
            if mine() and self.offsets != written:
                written = dict(self.offsets)
                try:
                    await self.publish(settings)
                except DeliveryFailed as error:
                    log.error("the snapshot of the item index was not written: %s", error)


def _write(settings: Settings, data: bytes, generation: int, offsets: dict[int, int], at: int) -> None:
    producer = Producer(settings.kafka_brokers, client="footfall-items", prefix=settings.topic_prefix)
    for key, value in cut(data, generation, offsets, at):
        if key == b"head":
            # Nobody may see a head before its parts.
            producer.flush()
        producer.send(ITEMS.name, key, value, partition=0)
    producer.flush()
