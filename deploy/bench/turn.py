"""One contender's turn: a fresh process, fresh groups and topics, the clock, and a look at what it made."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.bench.child import child
from deploy.bench.contenders import OURS, Contender
from deploy.bench.fill import Filled
from deploy.bench.job import FIRST, LAST, Job
from schemas.errors import OperatorError
from schemas.topics import FEATURES, INTERACTIONS, PROFILES
from stream.features.codec import decode_profile
from stream.features.marker import MARKER
from stream.kafka.admin import create_topics
from stream.kafka.restore import read_partition
from stream.settings import Settings

OUTPUTS = (FEATURES, INTERACTIONS)
POLL_S = 0.02
# A turn may take as long as this, or as at so few records a second, if that is longer: a machine may be busy.
LIMIT_S = 120.0
SLOWEST = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn needs to know: where, on which topics (`prefix`), with what on them, and under which name."""

    settings: Settings
    prefix: str
    filled: Filled
    run: str
    outputs: bool
    folder: Path
    profile_to: str = ""

    def job(self, contender: Contender) -> Job:
        """What the contender's process is told."""
        return Job(
            self.settings.kafka_brokers,
            self.prefix,
            contender.group(self.prefix, self.run),
            self.filled.total,
            self.settings.partitions,
            self.outputs,
            str(self.folder),
            self.profile_to if contender.name == OURS else "",
        )


class Speed(NamedTuple):
    """Records a second, and microseconds of processor time for each: the one depends on who else is at work here."""

    rate: float
    cpu_us: float


async def take(turn: Turn, contender: Contender, python: str) -> Speed:
    """How fast it is from the first record that it processes until its group has committed the last one.

    Starting (imports, joining the group) counts for nobody. The last record asks for a commit at once, so that nobody
    waits for an interval, which is three seconds for everyone. Raises `OperatorError` where it fails, takes too
    long, or made anything but the right state.
    """
    await asyncio.to_thread(prepare, turn, contender)
    job = turn.job(contender)
    arguments = (contender.module, job.argument())
    limit = max(LIMIT_S, turn.filled.total / SLOWEST)
    async with child(contender.name, arguments, turn.folder, python=python) as running:
        try:
            async with asyncio.timeout(limit):
                marks = await running.marks()
                end = await committed(job)
        except TimeoutError:
            raise OperatorError(f"{contender.name} was not done after {limit:.0f} s: give it fewer --events") from None
    await asyncio.to_thread(check, turn, contender)
    first, last, total = marks[FIRST], marks[LAST], turn.filled.total
    return Speed(total / (end - first["at"]), (last["cpu"] - first["cpu"]) / total * 1e6)


async def committed(job: Job) -> float:
    """When the group's commits reach the end of every partition."""
    consumer = Consumer({"bootstrap.servers": job.brokers, "group.id": job.group, "enable.auto.commit": False})
    places = [
        TopicPartition(job.topic(name), number)
        for name in ("clickstream", "orders")
        for number in range(job.partitions)
    ]

    def behind() -> int:
        return job.total - sum(max(0, int(place.offset)) for place in consumer.committed(places, timeout=10))

    try:
        while await asyncio.to_thread(behind) > 0:
            await asyncio.sleep(POLL_S)
        return time.monotonic()
    finally:
        consumer.close()


def prepare(turn: Turn, contender: Contender) -> None:
    """Outputs begin empty at every turn; so do our profiles and our group, whose names the prefix gives."""
    settings = turn.settings
    client = AdminClient({"bootstrap.servers": settings.kafka_brokers, "log_level": 0})
    outputs = [turn.job(contender).output(topic.name) for topic in OUTPUTS]
    if contender.name != OURS:
        delete_topics(settings, outputs)
        made = client.create_topics(
            [NewTopic(name, settings.partitions, 1, config=FEATURES.config()) for name in outputs]
        )
        for future in made.values():
            future.result(30)
        return
    group = contender.group(turn.prefix, turn.run)
    # The first turn finds none.
    with contextlib.suppress(KafkaException):
        client.delete_consumer_groups([group])[group].result(30)
    delete_topics(settings, [turn.prefix + topic.name for topic in (PROFILES, *OUTPUTS)])
    create_topics(settings.model_copy(update={"topic_prefix": turn.prefix}))


def delete_topics(settings: Settings, names: Sequence[str]) -> None:
    """Delete topics and wait until they are gone."""
    client = AdminClient({"bootstrap.servers": settings.kafka_brokers, "log_level": 0})
    there = [name for name in names if name in client.list_topics(timeout=10).topics]
    for future in client.delete_topics(there).values() if there else ():
        future.result(30)
    while any(name in client.list_topics(timeout=10).topics for name in there):
        time.sleep(POLL_S)


def check(turn: Turn, contender: Contender) -> None:
    """Raise `OperatorError` unless the state is there: every customer, and every event once."""
    if contender.store is None:
        return
    topic = contender.store(turn.prefix, turn.run)
    values: dict[bytes, bytes | None] = {}
    for number in range(turn.settings.partitions):
        read_partition(turn.settings.kafka_brokers, topic, number, values.__setitem__)
    profiles = [decode_profile(value) for key, value in values.items() if value and key != MARKER]
    found = (sum(profile.events > 0 for profile in profiles), sum(profile.events for profile in profiles))
    wanted = (turn.filled.customers, turn.filled.distinct)
    if found != wanted:
        raise OperatorError(
            f"{contender.name} made {found[0]:,} profiles of {found[1]:,} events instead of {wanted[0]:,} of "
            f"{wanted[1]:,}: its rate means nothing"
        )
    if contender.name != OURS:
        delete_topics(turn.settings, [topic])
