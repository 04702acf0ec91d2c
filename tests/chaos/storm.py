"""A shop whose events flow while everything goes wrong; in the end nothing of it may be seen."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from confluent_kafka import Consumer, KafkaException

from schemas.topics import (
    CLICKSTREAM,
    DECISIONS,
    EXAMPLES,
    FEATURES,
    INTERACTIONS,
    MAX_RECORD_BYTES,
    MODELS,
    ORDERS,
    PROFILES,
    SCORES,
)
from stream.kafka.producer import Producer
from stream.settings import Settings
from stream.sources.audit import Lag
from stream.sources.event import SourceEvent
from tests.chaos.events import bursts
from tests.chaos.outcome import ends
from tests.chaos.plan import KILLS, Blow, Kind
from tests.chaos.processes import POLL_S, BrokerProcess, Fleet
from tests.integration.administration import configure

SESSION_S = 6.0
DELIVERY_S = 4.0
FLUSH_S = 0.3
# Smaller than what most flushes write to a partition, larger than many a profile.
REFUSING_BYTES = 700
LONGEST_REFUSAL_S = 15.0
LONGEST_LULL_S = 6.0
DRAINED_S = 240.0
BLINK_S = 0.002
LEAST_BURST = 50
_INPUTS = {
    "profile": (CLICKSTREAM, ORDERS),
    "score": (FEATURES,),
    "label": (SCORES, INTERACTIONS),
    "learn": (EXAMPLES,),
}
_STORES = {"profile": PROFILES, "score": DECISIONS}


class Flow:
    """Sends bursts of events in their order, evenly, in a thread of its own; `finish` sends what is left at once.

    While `still` is held no burst is on its way: a broker that dies under one lets its topics arrive seconds apart, and
    what is said late is not said the same.
    """

    def __init__(self, shop: Settings, events: list[SourceEvent], per_s: float) -> None:
        self._producer = Producer(shop.kafka_brokers, prefix=shop.topic_prefix, delivery_s=600)
        self._events = events
        self._per_s = per_s
        self._hurry = threading.Event()
        self.still = threading.Lock()
        self._error: Exception | None = None
        self.sent = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Everything is in Kafka."""
        self._hurry.set()
        self._thread.join(300)
        assert not self._thread.is_alive(), f"only {self.sent} of {len(self._events)} events could be sent"
        if self._error is not None:
            raise self._error
        self._producer.flush(120)

    def _run(self) -> None:
        try:
            for burst in bursts(self._events, LEAST_BURST):
                with self.still:
                    for event in burst:
                        self._producer.send(event.topic, event.key, event.value)
                    self._producer.flush()
                self.sent += len(burst)
                self._hurry.wait(len(burst) / self._per_s)
        except Exception as error:
            self._error = error


class Storm:
    """Strikes one shop's broker and workers, blow by blow.

    Workers of the stage `struck` join and leave, are cut off, refused and killed at their barriers; killed may be any.
    """

    def __init__(
        self, shop: Settings, broker: BrokerProcess, fleets: list[Fleet], flow: Flow, seed: int, struck: str = "profile"
    ) -> None:
        self.struck: Counter[Kind] = Counter()
        self.seconds: dict[Kind, float] = dict.fromkeys(Kind, 0.0)
        self._shop = shop
        self._broker = broker
        self._flow = flow
        self._fleets = fleets
        self._first = next(fleet for fleet in fleets if fleet.stage == struck)
        self._store = _STORES[struck]
        self._rng = random.Random(f"{seed}-storm")
        self._eye = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": "chaos", "log_level": 0})
        self._blows: dict[Kind, Callable[[], None]] = {
            Kind.KILL_WORKER: self._kill_worker,
            Kind.KILL_AT_BARRIER: self._kill_at_barrier,
            Kind.KILL_BROKER: self._kill_broker,
            Kind.REFUSE: self._refuse,
            Kind.TIME_OUT: self._time_out,
            Kind.FREEZE: self._freeze,
            Kind.JOIN: self._first.join,
            Kind.LEAVE: self._leave,
        }

    @property
    def kills(self) -> int:
        """How often something was killed."""
        return sum(self.struck[kind] for kind in KILLS)

    def run(self, blows: list[Blow]) -> None:
        """One blow after the other, while dead workers are replaced."""
        for blow in blows:
            self.wait(blow.after_s)
            began = time.monotonic()
            self._blows[blow.kind]()
            self.struck[blow.kind] += 1
            self.seconds[blow.kind] += time.monotonic() - began
        self._broker.until_ready()
        self._eye.close()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._until(lambda: False, seconds)

    def _until(self, good: Callable[[], bool], seconds: float) -> bool:
        return kept_until(self._fleets, good, seconds)

    def _kill_worker(self) -> None:
        fleet, worker = self._rng.choice([(fleet, worker) for fleet in self._fleets for worker in fleet.workers])
        fleet.kill(worker)

    def _kill_broker(self) -> None:
        """As soon as a burst is there and the workers are at it."""
        sent = self._flow.sent
        self._until(lambda: self._flow.sent > sent, LONGEST_LULL_S)
        with self._flow.still:
            self._broker.kill()
            self._broker.until_ready()

    def _kill_at_barrier(self) -> None:
        self._barrier_begins()
        self._first.kill(self._rng.choice(self._first.workers))

    def _barrier_begins(self) -> None:
        """Return as soon as the store is written to, or after some seconds in which nobody does."""
        deadline = time.monotonic() + LONGEST_LULL_S
        with suppress(KafkaException):
            before = ends(self._eye, self._shop, self._store)
            while ends(self._eye, self._shop, self._store) == before and time.monotonic() < deadline:
                kept_until(self._fleets, lambda: True, 0)
                time.sleep(BLINK_S)

    def _refuse(self) -> None:
        """The broker takes small batches of the store and refuses large ones, until that has ended a worker."""
        self._broker.until_ready()
        crashes = self._first.crashes.total()
        configure(self._shop, self._store, {"max.message.bytes": str(REFUSING_BYTES)})
        try:
            self._until(lambda: self._first.crashes.total() > crashes, LONGEST_REFUSAL_S)
        finally:
            configure(self._shop, self._store, {"max.message.bytes": str(MAX_RECORD_BYTES)})

    def _time_out(self) -> None:
        """The broker stands still for longer than records may take."""
        self._broker.until_ready()
        self._barrier_begins()
        with self._flow.still:
            self._broker.signal(signal.SIGSTOP)
            self.wait(DELIVERY_S + 2)
            self._broker.signal(signal.SIGCONT)
            self._broker.until_ready()

    def _freeze(self) -> None:
        worker = self._rng.choice(self._first.workers)
        worker.signal(signal.SIGSTOP)
        self.wait(SESSION_S + 2)
        worker.signal(signal.SIGCONT)

    def _leave(self) -> None:
        self._broker.until_ready()
        self._first.remove(self._rng.choice(self._first.workers))


def kept_until(fleets: list[Fleet], good: Callable[[], bool], seconds: float) -> bool:
    """Whether it becomes good in time, while dead workers are replaced."""
    deadline = time.monotonic() + seconds
    while True:
        for fleet in fleets:
            fleet.keep()
        if good():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)


def _all_read(lags: list[Lag]) -> bool:
    return sum(lag.read() for lag in lags) == 0


def drain(shop: Settings, fleets: list[Fleet]) -> None:
    """Wait until each stage has committed all there is, and stop its workers in order."""
    for fleet in fleets:
        lags = [Lag(shop, f"footfall-{fleet.stage}", topic.name) for topic in fleet.inputs]
        try:
            drained = kept_until(fleets, partial(_all_read, lags), DRAINED_S)
            left = [lag.read() for lag in lags]
            assert drained, f"{left} records are not processed by {fleet.stage} after {DRAINED_S:.0f} s"
        finally:
            for lag in lags:
                lag.close()
        for worker in fleet.workers:
            worker.until_ready()
        codes = [fleet.remove(worker) for worker in list(fleet.workers)]
        assert not any(codes), f"workers of {fleet.stage} stopped in order ended with {codes}"


def learn(shop: Settings, folder: Path, kills: int) -> int:
    """Learn all examples while whoever learns is killed, each time that it has published: returns how often.

    Behind the storm, not in it: a decision follows from the version that scored, which comes at another time in every
    run, so whoever compares decisions must leave learning for later.
    """
    eye = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": "chaos", "log_level": 0})
    struck = 0
    with fleets(shop, folder, ("learn",)) as made:
        lag = Lag(shop, "footfall-learn", EXAMPLES.name)
        try:
            published = ends(eye, shop, MODELS)

            def moved() -> bool:
                return ends(eye, shop, MODELS) != published or not lag.read()

            while struck < kills and lag.read():
                kept_until(made, moved, LONGEST_LULL_S)
                made[0].kill(made[0].workers[0])
                struck += 1
                published = ends(eye, shop, MODELS)
        finally:
            lag.close()
            eye.close()
        drain(shop, made)
    return struck


@contextmanager
def weather(settings: Settings) -> Iterator[BrokerProcess]:
    """A broker that takes records; ended afterwards."""
    broker = BrokerProcess(settings)
    try:
        broker.until_ready()
        yield broker
    finally:
        broker.stop()


@contextmanager
def fleets(shop: Settings, folder: Path, stages: tuple[str, ...]) -> Iterator[list[Fleet]]:
    """A fleet of one worker for each stage, ready; ended afterwards whatever happened."""
    made = [Fleet(shop, folder / stage, stage, _INPUTS[stage]) for stage in stages]
    try:
        for fleet in made:
            fleet.join()
        for fleet in made:
            fleet.workers[0].until_ready()
        yield made
    finally:
        for fleet in made:
            fleet.stop()
