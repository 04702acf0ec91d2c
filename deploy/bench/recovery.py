"""`bench recovery`: how fast a worker takes over profiles, and how soon after another one was killed."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from itertools import islice
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from deploy.bench.aged import Maker, lives
from deploy.bench.child import Child, child
from deploy.bench.events import SEED
from deploy.bench.group import shares
from deploy.bench.job import FIRST, LAST, Job
from deploy.bench.load import load
from deploy.bench.place import place
from deploy.bench.wait import until
from deploy.local.part import NotReady
from deploy.local.parts import page
from deploy.local.supervisor import Announce
from schemas.errors import OperatorError
from schemas.topics import INTERACTIONS, PROFILES
from stream.kafka.admin import create_topics
from stream.kafka.producer import Producer
from stream.kafka.stage import group_id
from stream.settings import Settings

DISTINCT = 300
RATE = 1_000.0
LIMIT_S = 120.0


async def recovery(
    settings: Settings, count: int, partitions: int, announce: Announce, sent: Callable[[int], None]
) -> dict[str, Any]:
    """Fill `profiles` with `count` of them, let one worker restore them; then kill one of two that work."""
    async with place(settings, announce=announce, partitions=partitions) as (own, _):
        await asyncio.to_thread(create_topics, own)
        size = await asyncio.to_thread(fill, own, count, sent)
        announce("recovery", "one worker restores")
        seconds, cpu_s = await restored(own)
        announce("recovery", "two workers under load, one is killed")
        first, every = await failover(own)
    return {
        "profiles_per_s": round(count / seconds),
        "failover_s": round(every, 2),
        "failover_first_s": round(first, 2),
        "profiles": count,
        "mean_bytes": round(size / count),
        "restore_s": round(seconds, 3),
        "restore_cpu_us_per_profile": round(cpu_s / count * 1e6, 2),
        "session_timeout_s": own.session_timeout_s,
    }


def fill(settings: Settings, count: int, sent: Callable[[int], None]) -> int:
    """Send `count` profiles, of which `DISTINCT` differ in more than the customer; returns their bytes."""
    maker = Maker(int(time.time() * 1000))
    aged = [
        maker.profile(number, life)
        for number, life in enumerate(islice(lives(random.Random(f"{SEED}-lives")), min(DISTINCT, count)))
    ]
    producer = Producer(settings.kafka_brokers, client="footfall-bench", prefix=settings.topic_prefix)
    size = 0
    for number in range(count):
        one = aged[number % len(aged)]
        one.profile.customer = f"aged-{number}"
        # The input topics are empty here: an offset beyond their end would say that they were made anew.
        one.profile.applied = {}
        value = one.encoded()
        producer.send(PROFILES.name, one.profile.customer.encode(), value)
        size += len(value)
        sent(1)
    producer.flush()
    return size


async def restored(settings: Settings) -> tuple[float, float]:
    """Seconds that a worker takes from being given all partitions until it is ready, and its processor's seconds."""
    group = group_id(settings, "profile")
    folder = settings.data_dir / "restore"
    job = Job(settings.kafka_brokers, "", group, 0, settings.partitions, True, str(folder))
    async with child("the worker", ("deploy.bench.entrants.restore", job.argument()), folder) as running:
        try:
            async with asyncio.timeout(LIMIT_S):
                marks = await running.marks()
        except TimeoutError:
            raise running.failed() from None
    first, last = marks[FIRST], marks[LAST]
    return last["at"] - first["at"], last["cpu"] - first["cpu"]


async def failover(settings: Settings) -> tuple[float, float]:
    """Seconds from the kill until the first, and until every, lost partition has an event of the load processed.

    Seen by the interactions that come out, which every event of the load gives.
    """
    async with AsyncExitStack() as stack:
        group = group_id(settings, "profile")
        ports = [settings.metrics_base_port + number for number in range(2)]
        workers = [await stack.enter_async_context(_worker(settings, port)) for port in ports]
        await until(
            lambda: shares(settings, group) == 2 and all(map(_ready, ports)), "two workers share the partitions"
        )
        await stack.enter_async_context(load(settings, RATE))
        ends = Ends(settings)
        stack.callback(ends.close)
        await until(lambda: all(end > 0 for end in ends.now()), "every partition is at work")
        workers[0].kill()
        killed = time.monotonic()
        await workers[0].process.wait()
        # What it had sent last arrives; then what stands still is lost, for nobody takes over within a session.
        await asyncio.sleep(settings.session_timeout_s / 10)
        before = await asyncio.to_thread(ends.now)
        await asyncio.sleep(settings.session_timeout_s / 5)
        lost = {number for number, end in enumerate(await asyncio.to_thread(ends.now)) if end == before[number]}
        if not lost:
            raise OperatorError("the worker that was killed had no partition: its end changed nothing")
        times: list[float] = []

        def taken_over() -> bool:
            now = ends.now()
            for number in list(lost):
                if now[number] > before[number]:
                    lost.discard(number)
                    times.append(time.monotonic() - killed)
            return not lost

        await until(taken_over, "another worker takes over")
        return times[0], times[-1]


def _worker(settings: Settings, port: int) -> AbstractAsyncContextManager[Child]:
    arguments = ("deploy.cli", "worker", "profile", "--metrics-port", str(port))
    return child(f"worker {port}", arguments, settings.data_dir / f"worker-{port}", env=settings.environment())


class Ends:
    """Where each partition of `interactions` ends."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = Consumer({"bootstrap.servers": settings.kafka_brokers, "group.id": "footfall-bench"})
        topic = settings.topic(INTERACTIONS.name)
        self._places = [TopicPartition(topic, number) for number in range(settings.partitions)]

    def now(self) -> list[int]:
        """The ends, by partition."""
        return [int(self._consumer.get_watermark_offsets(place, timeout=10)[1]) for place in self._places]

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def _ready(port: int) -> bool:
    try:
        return "footfall_ready 1.0" in page(f"http://127.0.0.1:{port}/metrics")
    except NotReady:
        return False
