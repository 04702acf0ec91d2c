"""A shop whose events flow while everything goes wrong; in the end nothing of it may be seen."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from confluent_kafka import Consumer, KafkaException

from schemas.topics import CLICKSTREAM, MAX_RECORD_BYTES, ORDERS, PROFILES
from stream.kafka.producer import Producer
from stream.settings import Settings
from stream.sources.audit import Lag
from stream.sources.event import SourceEvent
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
DRAINED_S = 240.0
BLINK_S = 0.002


class Flow:
    """Sends events in their order, about evenly, in a thread of its own; `finish` sends what is left at once."""

    def __init__(self, shop: Settings, events: list[SourceEvent], per_s: float) -> None:
        self._producer = Producer(shop.kafka_brokers, prefix=shop.topic_prefix, delivery_s=600)
        self._events = events
        self._per_s = per_s
        self._hurry = threading.Event()
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
            for event in self._events:
                self._hurry.wait(1 / self._per_s)
                self._producer.send(event.topic, event.key, event.value)
                self.sent += 1
        except Exception as error:
            self._error = error


class Storm:
    """Strikes one shop's broker and workers, blow by blow."""

    def __init__(self, shop: Settings, broker: BrokerProcess, fleet: Fleet, seed: int) -> None:
        self.struck: Counter[Kind] = Counter()
        self.seconds: dict[Kind, float] = dict.fromkeys(Kind, 0.0)
        self._shop = shop
        self._broker = broker
        self._fleet = fleet
        self._rng = random.Random(f"{seed}-storm")
        self._eye = Consumer({"bootstrap.servers": shop.kafka_brokers, "group.id": "chaos", "log_level": 0})
        self._blows: dict[Kind, Callable[[], None]] = {
            Kind.KILL_WORKER: self._kill_worker,
            Kind.KILL_AT_BARRIER: self._kill_at_barrier,
            Kind.KILL_BROKER: broker.kill,
            Kind.REFUSE: self._refuse,
            Kind.TIME_OUT: self._time_out,
            Kind.FREEZE: self._freeze,
            Kind.JOIN: fleet.join,
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

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._until(lambda: False, seconds)

    def drain(self) -> None:
        """Wait until the stage has committed all there is; then stop its workers in order."""
        lags = [Lag(self._shop, "footfall-profile", topic.name) for topic in (CLICKSTREAM, ORDERS)]
        try:
            drained = self._until(lambda: sum(lag.read() for lag in lags) == 0, DRAINED_S)
            assert drained, f"{[lag.read() for lag in lags]} records are not processed after {DRAINED_S:.0f} s"
        finally:
            for lag in lags:
                lag.close()
            self._eye.close()
        for worker in self._fleet.workers:
            worker.until_ready()
        codes = [self._fleet.remove(worker) for worker in list(self._fleet.workers)]
        assert not any(codes), f"workers stopped in order ended with {codes}"

    def _until(self, good: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not (reached := good()) and time.monotonic() < deadline:
            self._fleet.keep()
            time.sleep(POLL_S)
        return reached

    def _kill_worker(self) -> None:
        self._fleet.kill(self._rng.choice(self._fleet.workers))

    def _kill_at_barrier(self) -> None:
        self._barrier_begins()
        self._kill_worker()

    def _barrier_begins(self) -> None:
        """Return as soon as profiles are written, or after some seconds in which nobody does."""
        deadline = time.monotonic() + LONGEST_REFUSAL_S
        with suppress(KafkaException):
            before = ends(self._eye, self._shop, PROFILES)
            while ends(self._eye, self._shop, PROFILES) == before and time.monotonic() < deadline:
                self._fleet.keep()
                time.sleep(BLINK_S)

    def _refuse(self) -> None:
        """The broker takes small batches of profiles and refuses large ones, until that has ended a worker."""
        self._broker.until_ready()
        crashes = self._fleet.crashes.total()
        configure(self._shop, PROFILES, {"max.message.bytes": str(REFUSING_BYTES)})
        try:
            self._until(lambda: self._fleet.crashes.total() > crashes, LONGEST_REFUSAL_S)
        finally:
            configure(self._shop, PROFILES, {"max.message.bytes": str(MAX_RECORD_BYTES)})

    def _time_out(self) -> None:
        """The broker stands still for longer than records may take."""
        self._broker.until_ready()
        self._barrier_begins()
        self._broker.signal(signal.SIGSTOP)
        self.wait(DELIVERY_S + 2)
        self._broker.signal(signal.SIGCONT)

    def _freeze(self) -> None:
        worker = self._rng.choice(self._fleet.workers)
        worker.signal(signal.SIGSTOP)
        self.wait(SESSION_S + 2)
        worker.signal(signal.SIGCONT)

    def _leave(self) -> None:
        self._broker.until_ready()
        self._fleet.remove(self._rng.choice(self._fleet.workers))


@contextmanager
def weather(settings: Settings, folder: Path) -> Iterator[tuple[BrokerProcess, Fleet]]:
    """A broker that takes records, and a fleet without workers yet; all ended afterwards."""
    broker = BrokerProcess(settings)
    fleet = Fleet(settings, folder)
    try:
        broker.until_ready()
        yield broker, fleet
    finally:
        broker.signal(signal.SIGCONT)
        fleet.stop()
        broker.stop()
