"""Anonymous behaviour becomes the customer's on the real broker: every way to sign in, and workers killed meanwhile."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL

import pytest

from schemas.decode import decode
from schemas.features import NAMES
from schemas.topics import CLICKSTREAM, MERGES, ORDERS
from stream.features.apply import prune
from stream.features.profile import Profile
from stream.features.vector import features_at
from stream.kafka.partitioner import home
from stream.settings import Settings
from tests.integration.kafka_tools import profiles, records, send, until
from tests.integration.workers import Worker, worker
from tests.property.test_merge_laws import state
from tests.property.test_profile_laws import GAP, fold

pytestmark = pytest.mark.integration

AT = 1_714_564_800_000
MINUTE = 60_000


class Sender:
    """Sends events, and keeps for each customer those that are hers in the end."""

    def __init__(self, shop: Settings) -> None:
        self.shop = shop
        self.hers: dict[str, list[bytes]] = defaultdict(list)
        self.sent = 0
        self._waiting: dict[str, list[tuple[bytes, bytes]]] = {CLICKSTREAM.name: [], ORDERS.name: []}

    def does(
        self, owner: str, name: str, minute: float, *, device: str = "", user: str = "", order: str = "", cents: int = 0
    ) -> None:
        """An event that should count for `owner`, sent with the ids `device` and `user`."""
        self.sent += 1
        ids = {name: value for name, value in (("anonymousId", device), ("userId", user)) if value}
        properties: dict[str, object] = {"product_id": f"p{self.sent % 7}", "quantity": 1, "price": 5}
        if order:
            properties = {"order_id": order, "total": cents / 100, "products": [{"product_id": "q"}]}
        kind = {"type": "identify"} if name == "identify" else {"type": "track", "event": name}
        value = json.dumps(
            {
                **kind,
                **ids,
                "messageId": f"m{self.sent}",
                "timestamp": AT + int(minute * MINUTE) + self.sent % 1000,
                "properties": properties,
            }
        ).encode()
        self.hers[owner].append(value)
        topic = ORDERS.name if name.startswith("Order") else CLICKSTREAM.name
        self._waiting[topic].append(((user or device).encode(), value))

    def flush(self) -> None:
        """All that was done is in Kafka."""
        for topic in (CLICKSTREAM, ORDERS):
            send(self.shop, topic, self._waiting[topic.name])
            self._waiting[topic.name] = []

    def counted(self) -> dict[str, int]:
        """Behaviours by customer, those of none left out."""
        return {name: profile.events for name, profile in profiles(self.shop).items() if profile.events}

    def one(self, owner: str) -> Profile:
        """The profile of one who sent everything herself."""
        return fold([decode(value, "USD") for value in self.hers[owner]])

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until everybody has what is hers, and check that it is the same in every feature."""
        want = {owner: self.one(owner).events for owner in self.hers}
        until(self.counted, lambda found: found == want, "every event is in its customer's profile", seconds)
        found = profiles(self.shop)
        now = max(profile.last for profile in found.values())
        for owner in self.hers:
            alone, profile = self.one(owner), found[owner]
            prune(profile, profile.last)
            assert state(profile) == state(alone), owner
            features = features_at(profile, now, "USD", GAP)
            assert features == features_at(alone, now, "USD", GAP)
            assert len(features) == len(NAMES)

    def at_rest(self) -> bool:
        """Whether nothing is on its way."""
        return not any(profile.ids and profile.ids.outgoing for profile in profiles(self.shop).values())


@pytest.fixture
def stitched(new_shop: Callable[..., Settings]) -> Settings:
    """A shop whose group misses a silent worker soon."""
    return new_shop(partitions=2, session_timeout_s=6.0, flush_interval_s=0.5)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "workers"
    folder.mkdir()
    return folder


def test_every_way_to_sign_in_gives_the_profile_of_one_who_always_was(stitched: Settings, logs: Path) -> None:
    shop = Sender(stitched)
    with worker(stitched, logs), worker(stitched, logs):
        for case in ("both", "identify", "devices", "bought", "late"):
            for device in (f"{case}-phone", f"{case}-laptop") if case == "devices" else (f"{case}-phone",):
                shop.does(case, "Product Viewed", 0, device=device)
                shop.does(case, "Product Added", 1, device=device)
                shop.does(case, "Product Viewed", 2, device=device)
        shop.does("bought", "Order Completed", 3, device="bought-phone", order="o-1", cents=1999)
        shop.does("ann", "Product Viewed", 0, device="shared")
        shop.flush()
        until(shop.counted, lambda found: sum(found.values()) == shop.sent, "all is counted anonymously")

        shop.does("both", "Product Viewed", 4, device="both-phone", user="both")
        shop.does("identify", "identify", 4, device="identify-phone", user="identify")
        shop.does("devices", "identify", 4, device="devices-phone", user="devices")
        shop.does("devices", "Product Viewed", 5, device="devices-laptop", user="devices")
        # The webhook reports the order that the pixel saw before the login, and later takes it half back.
        shop.does("bought", "Order Completed", 3.5, user="bought", order="o-1", cents=1999)
        shop.does("bought", "identify", 6, device="bought-phone", user="bought")
        shop.does("bought", "Order Refunded", 60, device="bought-phone", order="o-1", cents=1000)
        shop.does("late", "identify", 6, device="late-phone", user="late")
        shop.does("ann", "identify", 6, device="shared", user="ann")
        shop.flush()
        shop.settle()

        # They were sent before the login, and only arrive now.
        shop.does("late", "Product Added", 3, device="late-phone")
        shop.does("late", "Order Completed", 5, device="late-phone", order="o-2", cents=500)
        shop.does("bob", "Product Viewed", 10, device="shared")
        shop.does("bob", "Product Viewed", 11, device="shared")
        shop.flush()
        shop.does("bob", "Product Viewed", 12, device="shared", user="bob")
        shop.flush()
        shop.settle()
        assert shop.at_rest()
    assert {home(name, 2) for name in shop.hers} == {0, 1}


class Workers:
    """Two workers, of which one or both are killed and started again."""

    def __init__(self, shop: Settings, logs: Path) -> None:
        self._shop = shop
        self._logs = logs
        self.killed = 0
        self.running = [self._start(), self._start()]
        for one in self.running:
            one.until_ready()

    def _start(self) -> Worker:
        return Worker(self._shop, self._logs / f"worker-{len(list(self._logs.iterdir()))}.log")

    def kill(self, *which: int) -> None:
        for number in which:
            one = self.running[number]
            one.signal(SIGKILL)
            one.process.wait(30)
            self.killed += 1
            self.running[number] = self._start()

    def end(self) -> None:
        for one in self.running:
            one.process.kill()
            one.process.wait(30)


@contextmanager
def two_workers(shop: Settings, logs: Path) -> Iterator[Workers]:
    both = Workers(shop, logs)
    try:
        yield both
    finally:
        both.end()


def test_workers_killed_while_profiles_move_lose_nothing_and_count_nothing_twice(
    stitched: Settings, logs: Path
) -> None:
    rng = random.Random(11)
    shop = Sender(stitched)

    def frozen() -> bool:
        return not shop.at_rest()

    def carries() -> int:
        return sum(b'"kind":"carry"' in (value or b"") for _, value in records(stitched, MERGES))

    with two_workers(stitched, logs) as workers:
        sent = 0
        for round_ in range(6):
            users = [f"user-{round_}-{number}" for number in range(25)]
            for user in users:
                for device in (f"{user}-phone", f"{user}-laptop"):
                    for number in range(3):
                        shop.does(user, "Product Viewed", rng.random() * 30, device=device)
                        order = f"{device}-{number}"
                        cents = rng.randrange(100, 9999)
                        shop.does(user, "Order Completed", rng.random() * 30, device=device, order=order, cents=cents)
                        if rng.random() < 0.3:
                            shop.does(user, "Order Completed", 31, user=user, order=order, cents=cents)
                    shop.does(user, "identify", 40, device=device, user=user)
            shop.flush()
            if round_ % 3 == 0:
                workers.kill(rng.randrange(2))
            elif round_ % 3 == 1:
                until(frozen, bool, "a profile is frozen")
                workers.kill(0, 1)
            else:
                until(carries, lambda found, sent=sent: found > sent, "a profile is carried")  # type: ignore[misc]
                workers.kill(0, 1)
            sent = carries()
        shop.settle(120)
        until(shop.at_rest, bool, "nothing is on its way")
    assert workers.killed == 10
    found = profiles(stitched)
    assert sum(profile.events for profile in found.values()) == sum(shop.one(owner).events for owner in shop.hers)
