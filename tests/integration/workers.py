"""Workers of the profile stage as processes of their own, orders that flow meanwhile, and the account of both."""

import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from deploy.local.ports import free_port
from schemas.topics import ORDERS
from stream.kafka.stage import group_id
from stream.settings import Settings
from tests.integration.kafka_tools import profiles, until

AT = 1_714_564_800
BATCH, EVERY_S = 40, 0.04


class Worker:
    """`footfall worker STAGE`, ready when its metrics say so."""

    def __init__(self, shop: Settings, log: Path, stage: str = "profile") -> None:
        self.port = free_port(1)
        self.log = log
        command = (sys.executable, "-m", "deploy.cli", "worker", stage, "--metrics-port", str(self.port))
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                command, env=os.environ | shop.environment(), stdout=said, stderr=subprocess.STDOUT
            )

    def metrics(self) -> dict[str, float]:
        """Every sample of its metrics page by name and labels; nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=3) as page:
                text = page.read().decode()
        except (urllib.error.URLError, OSError):
            return {}
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    def until_ready(self) -> None:
        until(lambda: self.metrics().get("footfall_ready"), lambda ready: ready == 1, "the worker is ready", 60)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def worker(shop: Settings, folder: Path) -> Iterator[Worker]:
    """A worker that is ready, and gone at the end whatever happened."""
    running = Worker(shop, folder / f"worker-{len(list(folder.iterdir()))}.log")
    try:
        running.until_ready()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait(30)


class Orders:
    """Orders of a few hundred customers, sent in a thread of its own until `stop`; cents that show every loss."""

    def __init__(self, shop: Settings, customers: int = 300) -> None:
        self.shop = shop
        self.sent: Counter[str] = Counter()
        self.cents = 0
        self._customers = [f"customer-{n}" for n in range(customers)]
        self._stop = threading.Event()
        self._producer = Producer(
            {"bootstrap.servers": shop.kafka_brokers, "partitioner": "murmur2_random", "enable.idempotence": True}
        )
        self._thread = threading.Thread(target=self._flow, daemon=True)

    def __enter__(self) -> "Orders":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """No more orders; all that were sent are in Kafka."""
        self._stop.set()
        self._thread.join(30)
        assert self._producer.flush(60) == 0

    def flowing(self, more: int) -> None:
        """Return once so many more orders have been sent."""
        goal = self.sent.total() + more
        until(self.sent.total, lambda total: total >= goal, "orders flow")

    def counted(self) -> Counter[str]:
        """Orders by customer, as the profiles topic has them."""
        return Counter({name: profile.orders_total for name, profile in profiles(self.shop).items()})

    def check(self, seconds: float = 60.0) -> None:
        """Every order is counted, once, to the cent."""
        until(self.counted, lambda found: found == self.sent, "every order is counted once", seconds)
        assert sum(profile.money["USD"] for profile in profiles(self.shop).values()) == self.cents

    def _flow(self) -> None:
        number = 0
        while not self._stop.wait(EVERY_S):
            for _ in range(BATCH):
                customer = self._customers[number % len(self._customers)]
                cents = 100 + number % 997
                self._producer.produce(
                    self.shop.topic(ORDERS.name), order(customer, f"{customer}-{number}", cents), customer.encode()
                )
                self.sent[customer] += 1
                self.cents += cents
                number += 1
            self._producer.poll(0)


def order(customer: str, number: str, cents: int) -> bytes:
    """An order of so many cents."""
    return orjson.dumps(
        {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"m-{number}",
            "timestamp": AT,
            "userId": customer,
            "properties": {"order_id": number, "total": cents / 100, "products": []},
        }
    )


def members(shop: Settings) -> tuple[str, list[int]]:
    """The profile group's state, and how many partitions each of its members has."""
    group = group_id(shop, "profile")
    client = AdminClient({"bootstrap.servers": shop.kafka_brokers})
    found = client.describe_consumer_groups([group])[group].result(10)
    return found.state.name, sorted(len(member.assignment.topic_partitions) for member in found.members)
