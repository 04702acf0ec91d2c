"""The report's reading on the real broker: her partitions alone, bounded, devices resolved, the erased not found."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from deploy.cli import app
from deploy.report.build import build
from deploy.report.partitions import Partitions
from deploy.report.read import find
from schemas.errors import OperatorError
from schemas.merges import Erase, Link
from schemas.outputs import encode as encode_merge
from schemas.topics import EXAMPLES, INTERACTIONS, MERGES, PROFILES, SCORES, TOPICS, Topic
from stream.features.codec import encode_profile
from stream.features.ids import Device, Identity
from stream.features.marker import MARKER, encode_marker
from stream.features.profile import Profile
from stream.kafka.partitioner import home
from stream.settings import Settings
from tests.unit.deploy.report.customers import T0, found

pytestmark = pytest.mark.integration
BY_NAME = {topic.name: topic for topic in TOPICS}


def put(shop: Settings, topic: Topic, key: bytes, values: Sequence[bytes | None], number: int | None = None) -> None:
    """Records onto a partition: the key's own, where none is said."""
    place = (0 if topic.single else home(key.decode(), shop.partitions)) if number is None else number
    producer = Producer({"bootstrap.servers": shop.kafka_brokers})
    for value in values:
        producer.produce(shop.topic(topic.name), value, key, place)
    assert producer.flush(60) == 0


def fill(shop: Settings, name: str) -> None:
    """A customer as the stages would have left her, with as many records of somebody else's around them."""
    hers = found(name)
    put(shop, PROFILES, name.encode(), [encode_profile(hers.profile)])
    number = home(name, shop.partitions)
    put(shop, PROFILES, MARKER, [encode_marker(hers.clock)], number)
    for topic, values in hers.records.items():
        key = b"e" if topic == EXAMPLES.name else name.encode()
        others = [value.replace(f'"{name}"'.encode(), b'"other"') for value in values]
        put(shop, BY_NAME[topic], b"other", others, 0 if topic == EXAMPLES.name else number)
        put(shop, BY_NAME[topic], key, values)


@pytest.fixture
def shop(new_shop: Callable[..., Settings]) -> Settings:
    made = new_shop(partitions=3)
    fill(made, "ann")
    return made


def test_what_is_hers_is_found_and_nothing_else(shop: Settings) -> None:
    got, want = build(shop, find(shop, "ann", 1_000)), build(shop, found("ann"))
    for name in ("scores", "weeks", "rhythm", "alerts", "judged", "recommended", "timeline", "segment"):
        assert getattr(got, name) == getattr(want, name), name
    # Of the three partitions only hers was read: the records beside hers are counted, others' are not.
    assert got.searched["scores"] == {"read": 6, "of": 6}


def test_no_more_than_the_newest_are_looked_at(shop: Settings) -> None:
    got = find(shop, "ann", 2)
    assert got.searched["scores"] == {"read": 2, "of": 6}
    assert len(got.records["scores"]) == 2


def test_a_device_of_which_nothing_is_left_is_her(shop: Settings) -> None:
    stub = Profile("phone", ids=Identity(logins=[(T0, "ann")]))
    put(shop, PROFILES, b"phone", [encode_profile(stub)])
    hers = found("ann").profile
    hers.ids = Identity(devices={"phone": Device(T0, 1)})
    put(shop, PROFILES, b"ann", [encode_profile(hers)])
    got = find(shop, "phone", 1_000)
    assert (got.asked, got.profile.customer, got.devices) == ("phone", "ann", ["phone"])


def test_a_device_whose_record_is_gone_is_known_by_its_sign_in_until_it_is_erased(shop: Settings) -> None:
    link = encode_merge(Link(device="tablet", user="ann", at=T0))
    put(shop, MERGES, b"tablet", [b"{", link])
    assert find(shop, "tablet", 1_000).profile.customer == "ann"
    put(shop, MERGES, b"tablet", [encode_merge(Erase(customer="tablet", at=T0, request="r"))])
    with pytest.raises(OperatorError, match="nobody is known"):
        find(shop, "tablet", 1_000)


def test_of_one_who_was_erased_nothing_is_found_and_of_one_who_came_back_what_came_after(shop: Settings) -> None:
    put(shop, PROFILES, b"ann", [None])
    for topic in (INTERACTIONS, SCORES):
        put(shop, topic, b"ann", [None])
    with pytest.raises(OperatorError, match="nobody is known by the id 'ann'"):
        find(shop, "ann", 1_000)
    put(shop, PROFILES, b"ann", [encode_profile(Profile("ann", first=T0, last=T0, events=1))])
    after = found("ann").records["scores"][-1:]
    put(shop, SCORES, b"ann", after)
    got = find(shop, "ann", 1_000)
    # What other topics still hold of before, until it is gone there, is not reported.
    assert {name: hers for name, hers in got.records.items() if hers} == {"scores": after}


def test_an_empty_partition_and_one_that_is_there_but_never_written_end_at_once(shop: Settings) -> None:
    with Partitions(shop, [("outcomes", number) for number in range(3)] + [("models", 0)]) as partitions:
        assert sum(1 for _ in partitions.messages()) == sum(s.end - s.low for s in partitions.spans.values())


def test_the_command_writes_a_page_and_json(shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in shop.environment().items():
        monkeypatch.setenv(name, value)
    run = CliRunner().invoke
    said = run(app, ["report", "ann", "--json"])
    assert (said.exit_code, json.loads(said.stdout)["customer"]) == (0, "ann")
    page = tmp_path / "ann.html"
    assert run(app, ["report", "ann", "--html", "--out", str(page)]).exit_code == 0
    assert page.read_text().startswith("<!doctype html>")
    assert run(app, ["report", "ann"]).exit_code == 0
    unknown = run(app, ["report", "nobody"])
    assert (unknown.exit_code, "nobody is known" in unknown.stderr) == (1, True)
    assert run(app, ["report", "ann", "--html", "--json"]).exit_code == 1
    assert run(app, ["report", "ann", "--html", "--out", str(tmp_path / "no" / "ann.html")]).exit_code == 1
