"""The law of the running engine: any order, any repetition, any batches and any partitions give the same profiles.

Every example is a few days of another shop, sent behind those of the examples before it to the same worker.
"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.parity.simulated import START, disturbed
from deploy.simulate.storefront import Storefront
from schemas.topics import CLICKSTREAM, DAY_MS, ORDERS
from stream.kafka.producer import Producer
from stream.settings import Settings
from stream.sources.audit import Lag
from stream.sources.event import SourceEvent
from tests.chaos.outcome import facts, fields, pure, unlike_profiles
from tests.chaos.strength import STRENGTH
from tests.integration.kafka_tools import profiles, until
from tests.integration.workers import worker

EXAMPLES = STRENGTH.kills if STRENGTH.long else 3
pytestmark = [pytest.mark.integration, pytest.mark.timeout(120 + 30 * EXAMPLES)]

CUSTOMERS, DAYS = 15, 6
LATENESS_MS = DAY_MS
ASTRAY, AGAIN = 0.3, 0.2


@pytest.fixture
def shop(new_shop: Callable[..., Settings]) -> Settings:
    return new_shop(partitions=3, flush_interval_s=0.2, lateness_s=LATENESS_MS // 1000)


def example(seed: int, start: int) -> list[SourceEvent]:
    """What happens in a shop, in order: orders are reported twice, changed and taken back, messages repeated."""
    rng = random.Random(f"{seed}-happens")
    shop = Storefront(seed, customers=CUSTOMERS, days=DAYS, live_every_s=600)
    return [
        copy
        for event in shop.events(start, start + DAYS * DAY_MS)
        for _, copy in disturbed(_as_one(event), rng)
        if b'"identify"' not in copy.value
    ]


def _as_one(event: SourceEvent) -> SourceEvent:
    """The event under one id alone: whose an event is when it names two is another law's."""
    said = orjson.loads(event.value)
    if said.get("userId"):
        said.pop("anonymousId", None)
    return event._replace(value=orjson.dumps(said))


def send(shop: Settings, events: list[SourceEvent], rng: random.Random) -> None:
    """In any order that keeps the lateness bound, some again, some to any partition, in any batches."""
    sent = events + rng.sample(events, int(AGAIN * len(events)))
    sent.sort(key=lambda event: event.at + rng.random() * LATENESS_MS)
    producer = Producer(shop.kafka_brokers, prefix=shop.topic_prefix, linger_ms=rng.choice((0, 5, 50)))
    batch = 0
    for event in sent:
        partition = rng.randrange(shop.partitions) if rng.random() < ASTRAY else -1
        producer.send(event.topic, event.key, event.value, partition=partition)
        batch -= 1
        if batch < 0:
            producer.flush()
            batch = int(rng.expovariate(1 / rng.choice((3, 30, 300))))
            time.sleep(rng.random() * rng.choice((0.0, 0.0, 0.1)))
    producer.flush()


def read_to_the_end(shop: Settings) -> None:
    """Return once the stage has committed everything, twice in a row: what was sent on arrives behind the rest."""
    lags = [Lag(shop, "footfall-profile", topic.name) for topic in (CLICKSTREAM, ORDERS)]
    still = [1]

    def left() -> list[int]:
        still.append(sum(lag.read() for lag in lags))
        return still[-2:]

    try:
        until(left, lambda found: sum(found) == 0, "everything is read")
    finally:
        for lag in lags:
            lag.close()


def held(shop: Settings, customers: set[str], end: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The facts that the profiles of some customers hold."""
    for customer, profile in profiles(shop).items():
        if customer in customers:
            yield customer, facts(fields(profile, end))


def test_any_order_repetition_batches_and_partitions_give_the_same_profiles(shop: Settings, tmp_path: Path) -> None:
    logs = tmp_path / "workers"
    logs.mkdir()
    compared = 0
    with worker(shop, logs) as only:
        for number in range(EXAMPLES):
            seed = STRENGTH.seed * 1_000 + number
            start = START + number * 2 * DAYS * DAY_MS
            end = start + 2 * DAYS * DAY_MS
            events = example(seed, start)
            send(shop, events, random.Random(seed))
            read_to_the_end(shop)
            want = pure(events, end)
            said = list(unlike_profiles(dict(held(shop, set(want), end)), want))
            assert not said, f"CHAOS_SEED={STRENGTH.seed}, example {number} of {EXAMPLES}: " + "\n".join(said)
            compared += len(want)
        rerouted = only.metrics()["footfall_events_rerouted_total"]
    print(f"\nany order: {EXAMPLES} examples, {compared} profiles compared, {rerouted:.0f} events sent home")
    assert rerouted > 0
