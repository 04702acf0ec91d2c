"""A customer erased and anonymised on the real broker by real workers: nowhere to be found, also after a crash."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.erase.naming import Naming
from schemas.outputs import Snapshot, encode
from schemas.topics import (
    CLICKSTREAM,
    DAY_MS,
    DEAD_LETTERS,
    DECISIONS,
    EXAMPLES,
    ORDERS,
    PENDING,
    PROFILES,
    Topic,
)
from stream.features.profile import Profile
from stream.kafka import dead_letters
from stream.kafka.restore import messages
from stream.settings import Settings
from tests.integration.kafka_tools import newest, profiles, send, until
from tests.integration.workers import Worker

pytestmark = pytest.mark.integration

NOW = int(time.time() * 1000)
START = NOW - 60 * DAY_MS
HOUR = 3_600_000
STAGES = ("profile", "score", "label")
COMPACTED = (PROFILES, DECISIONS, PENDING, EXAMPLES)
Command = Callable[..., Any]


class Shop:
    """A shop whose stages run, `learn` apart; without Triton the online model scores."""

    def __init__(self, settings: Settings, logs: Path) -> None:
        self.settings = settings
        self._logs = logs
        self.workers: list[Worker] = []
        self.start()

    def start(self) -> None:
        """Start all stages; they are ready when this returns."""
        number = len(list(self._logs.iterdir()))
        self.workers = [Worker(self.settings, self._logs / f"{number}-{stage}.log", stage) for stage in STAGES]
        for one in self.workers:
            one.until_ready()

    def kill(self) -> None:
        for one in self.workers:
            if one.process.poll() is None:
                one.signal(SIGKILL)
            one.process.wait(30)

    def event(self, name: str, at: int, *, user: str = "", device: str = "", **properties: object) -> None:
        """Send an event; its message is named by who, what and when."""
        ids = {key: value for key, value in (("userId", user), ("anonymousId", device)) if value}
        kind = {"type": "identify"} if name == "identify" else {"type": "track", "event": name}
        message = f"{user or device}-{name}-{at}"
        value = {**kind, **ids, "messageId": message, "timestamp": at, "properties": properties}
        if name.startswith("Order"):
            properties["products"] = [{"product_id": "p-1"}]
        topic = ORDERS if name.startswith("Order") else CLICKSTREAM
        send(self.settings, topic, [((user or device).encode(), json.dumps(value).encode())])

    def history(self, user: str, at: int = START) -> None:
        """A device's visit, then a login on it, a search in the user's own words, and orders, one of them broken."""
        device = f"{user}-phone"
        self.event("Product Viewed", at, device=device, product_id="p-1", price=5)
        self.event("identify", at + HOUR, user=user, device=device)
        self.event("Products Searched", at + 2 * HOUR, user=user, query=f"secret of {user}")
        self.event("Product Added", at + 3 * HOUR, user=user, product_id="p-1", quantity=1, price=5)
        for number in range(3):
            when = at + number * DAY_MS + 4 * HOUR
            self.event("Order Completed", when, user=user, order_id=f"{user}-{number}", total=10 + number)
        self.event("Order Completed", at + 5 * HOUR, user=user, order_id=f"{user}-x", total="ten")

    def lately(self, user: str) -> None:
        """What she did today: a search and an order, whose predictions are still open."""
        self.event("Products Searched", NOW - 3 * HOUR, user=user, query=f"secret of {user} again")
        self.event("Order Completed", NOW - 2 * HOUR, user=user, order_id=f"{user}-new", total=20)

    def live(self, topic: Topic, user: str) -> int:
        """How many newest records of a compacted topic name somebody."""
        naming = Naming(user)
        return sum(naming.in_record(topic.name, key, value, ()) for key, value in newest(self.settings, topic).items())

    def held(self, user: str) -> dict[str, int]:
        """The same for every compacted topic, dead letters by what `footfall dlq` would list."""
        found = {topic.name: self.live(topic, user) for topic in COMPACTED}
        letters = [one for one in dead_letters.read(self.settings) if one.key == user.encode()]
        return found | {DEAD_LETTERS.name: len(letters)}


@pytest.fixture
def shop(new_shop: Callable[..., Settings], tmp_path: Path) -> Iterator[Shop]:
    logs = tmp_path / "workers"
    logs.mkdir()
    made = Shop(new_shop(partitions=2, session_timeout_s=6.0, flush_interval_s=0.5), logs)
    try:
        made.history("ann")
        made.history("bob")
        until(lambda: events(made.settings), lambda found: found == {"ann": 7, "bob": 7}, "devices are theirs")
        made.lately("ann")
        made.lately("bob")
        until(lambda: events(made.settings), lambda found: found == {"ann": 9, "bob": 9}, "today is counted")
        for user in ("ann", "bob"):
            until(lambda user=user: made.held(user), lambda found: all(found.values()), f"{user} is everywhere")  # type: ignore[misc]
        train(made.settings)
        yield made
    finally:
        made.kill()


@pytest.fixture
def footfall(shop: Shop) -> Command:
    """The command line against the shop; its JSON, or its output where it gives none."""

    def run(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, arguments, env=shop.settings.environment() | {"COLUMNS": "200"})
        assert result.exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout) if "--json" in arguments else result.output

    return run


def events(settings: Settings) -> dict[str, int]:
    """Behaviours by user, those of their devices included; devices have none any more."""
    return {name: one.events for name, one in profiles(settings).items() if one.events}


def train(settings: Settings) -> Path:
    """A training set as `footfall train` leaves it, with one row for each of both."""
    path = settings.data_dir / "train" / "log.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ["ann", "bob"]
    snapshots = [
        encode(Snapshot(id="s", customer=name, at=1, trigger="cutoff", arrived=1, features={}, story=[])).decode()
        for name in names
    ]
    frame = pl.DataFrame({"id": ["a", "b"], "customer": names, "at": [1, 1], "snapshot": snapshots})
    frame.write_parquet(path)
    return path


def places(receipt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {place["place"]: place for place in receipt["places"]}


def known(profile: Profile) -> tuple[object, ...]:
    """What of a profile must not change when another customer goes."""
    return profile.events, profile.orders, profile.money, profile.story, profile.ids


def test_a_customer_is_gone_from_every_store_and_the_receipt_says_what_remains(shop: Shop, footfall: Command) -> None:
    before, bob, stored = shop.held("ann"), shop.held("bob"), known(profiles(shop.settings)["bob"])
    assert before["profiles"] == 2, "her own, and the one of her phone"
    refused = footfall("erase", "ann", code=1)
    assert "--yes" in refused
    assert shop.held("ann") == before

    receipt = footfall("erase", "ann", "--yes", "--json")
    assert set(shop.held("ann").values()) == {0}, shop.held("ann")
    assert (shop.held("bob"), known(profiles(shop.settings)["bob"])) == (bob, stored)
    found = places(receipt)
    assert receipt["waiting_for"] == ""
    assert {name: found[f"topic {name}"]["removed"] for name in before} == before
    assert found["file train/log.parquet"]["removed"] == 1
    assert pl.read_parquet(shop.settings.data_dir / "train" / "log.parquet")["customer"].to_list() == ["bob"]
    assert "ann" not in json.dumps(receipt).replace("channel", "")
    for name in ("clickstream", "orders", "features", "scores"):
        there = found[f"topic {name}"]
        assert there["remaining"] == sum(where["records"] for where in there["where"]) > 0
        assert there["until"] > receipt["finished"]
    log = [key for number in range(2) for key in keys(shop.settings, ORDERS, number) if key == b"ann"]
    assert found["topic orders"]["remaining"] == len(log) == 5

    # Every stage has forgotten her, so what it knows after a restart is what its topic says; and she may come back.
    shop.kill()
    shop.start()
    shop.event("Product Viewed", NOW - HOUR, user="ann", product_id="p-2", price=5)
    fresh = until(lambda: profiles(shop.settings).get("ann"), lambda found: found is not None, "a new profile")
    assert fresh is not None
    assert (fresh.events, fresh.orders_total, fresh.ids) == (1, 0, None)
    path = shop.settings.data_dir / "receipts" / f"{receipt['request']}.json"
    assert "another customer" in footfall("erase", "bob", "--verify", str(path), code=1)
    assert footfall("erase", "ann", "--verify", str(path), "--json")["live"] >= 1
    footfall("erase", "ann", "--yes")
    assert footfall("erase", "ann", "--verify", str(path), "--json")["live"] == 0
    again = footfall("erase", "ann", "--yes", "--json")
    assert all(place["removed"] == 0 for place in again["places"])
    nobody = footfall("erase", "nobody-here", "--yes", "--json")
    assert all(
        place["removed"] == place["live"] == 0 and (place["remaining"] <= 2 or place["place"] == "topic merges")
        for place in nobody["places"]
    )


def keys(settings: Settings, topic: Topic, number: int) -> list[bytes]:
    return [message.key() for message in messages(settings.kafka_brokers, settings.topic(topic.name), number)]


def test_she_stays_gone_where_workers_are_killed_and_her_events_were_unread(shop: Shop, footfall: Command) -> None:
    bob = shop.held("bob")
    shop.kill()
    shop.event("Order Completed", NOW - HOUR, user="ann", order_id="ann-unread", total=30)
    said = footfall("erase", "ann", "--yes", "--wait", "0", code=1)
    assert "footfall worker profile" in said
    shop.event("Order Completed", NOW - HOUR + 1, user="bob", order_id="bob-unread", total=30)
    shop.start()
    # In the middle of it, or just before, or after.
    shop.kill()
    shop.start()
    until(lambda: profiles(shop.settings)["bob"].orders_total, lambda found: found == 5, "the order is counted")
    stores = [topic.name for topic in (PROFILES, DECISIONS, PENDING)]
    until(lambda: [shop.held("ann")[name] for name in stores], lambda found: not any(found), "workers forget her")
    receipt = footfall("erase", "ann", "--yes", "--json")
    assert receipt["waiting_for"] == ""
    assert set(shop.held("ann").values()) == {0}
    assert shop.held("bob")["examples"] == bob["examples"]


def test_an_anonymised_profile_goes_on_under_an_alias_and_totals_stay(shop: Shop, footfall: Command) -> None:
    def totals() -> tuple[int, int, int]:
        found = profiles(shop.settings).values()
        return (
            sum(one.orders_total for one in found),
            sum(one.money.get("USD", 0) for one in found),
            sum(one.events for one in found),
        )

    def stories() -> list[str]:
        return [json.loads(value)["story"] for value in newest(shop.settings, EXAMPLES).values()]

    before, held, examples = totals(), shop.held("ann"), newest(shop.settings, EXAMPLES)
    assert any("secret of ann" in story for story in stories())
    receipt = footfall("anonymise", "ann", "--yes", "--json")
    assert receipt["command"] == "anonymise"
    assert set(shop.held("ann").values()) == {0}, shop.held("ann")
    assert totals() == before
    alias = next(name for name in profiles(shop.settings) if name.startswith("anon-"))
    assert alias not in json.dumps(receipt)
    profile = profiles(shop.settings)[alias]
    assert (profile.orders_total, profile.events) == (4, 9)
    assert profile.ids is not None
    assert set(profile.ids.devices) == {alias}
    assert not any("secret" in moment.words for moment in profile.story)
    assert newest(shop.settings, EXAMPLES).keys() == examples.keys()
    assert (
        sum(json.loads(value)["customer"] == alias for value in newest(shop.settings, EXAMPLES).values())
        == (held["examples"])
    )
    assert not any("secret of ann" in story for story in stories())
    assert any("secret of bob" in story for story in stories())
    assert footfall("anonymise", "nobody-here", "--yes", "--json")["waiting_for"] == ""
