"""Dead letters on the real broker: listed, explained, mended and replayed, each event counted once whatever happens."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.supervisor import Stack
from schemas.topics import CLICKSTREAM, ORDERS
from stream.kafka import dead_letters
from stream.kafka.dead_letters import Letter, Place
from stream.settings import Settings
from tests.integration.kafka_tools import profiles, send, until
from tests.integration.stacks import running

pytestmark = pytest.mark.integration

AT = 1_714_564_800
Dlq = Callable[..., Any]


@pytest.fixture
def working(shop: Settings) -> Iterator[Settings]:
    """A shop whose profile worker runs."""
    with running(Stack(shop, ["profile"])):
        yield shop


@pytest.fixture
def dlq(working: Settings) -> Dlq:
    """`footfall dlq ...` against the shop; its JSON, or its output where it gives none."""

    def run(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["dlq", *arguments], env=working.environment() | {"COLUMNS": "200"})
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.output

    return run


def order(customer: str, number: int, total: object, **more: object) -> bytes:
    properties = {"order_id": f"{customer}-{number}", "total": total, "products": []}
    said = {"type": "track", "event": "Order Completed", "timestamp": AT, "userId": customer, "properties": properties}
    return json.dumps({**said, "messageId": f"{customer}-{number}", **more}).encode()


def revenue(shop: Settings) -> dict[str, tuple[int, int]]:
    """Orders and cents by customer."""
    return {name: (one.orders_total, one.money.get("USD", 0)) for name, one in profiles(shop).items()}


def letters(shop: Settings, number: int) -> list[Letter]:
    """The dead letters, once there are so many."""
    return until(lambda: dead_letters.read(shop), lambda found: len(found) == number, f"{number} dead letters")


def test_listed_explained_mended_and_counted_once(working: Settings, dlq: Dlq) -> None:
    send(
        working,
        ORDERS,
        [
            (b"ann", order("ann", 1, "ten")),
            (b"ann", order("ann", 2, -2.5)),
            (b"bob", order("bob", 1, 7.25, userId=None)),
            (None, b"\xff\xfe"),
            (b"bob", b""),
        ],
    )
    found = {letter.reason: letter for letter in letters(working, 5)}
    listed = dlq("list", "--json", "--examples", "2")
    assert (listed["total"], listed["open"], len(listed["letters"])) == (5, 5, 2)
    assert {one["reason"] for one in listed["reasons"]} == {
        "bad_value",
        "negative_money",
        "no_customer",
        "not_utf8",
        "empty",
    }
    assert dlq("list", "--json", "--reason", "empty", "--since", "1h")["total"] == 1
    assert "negative_money" in dlq("list")

    negative = str(found["negative_money"].place)
    shown = dlq("show", negative)
    assert "Order Refunded" in shown
    assert '"total": -2.5' in shown
    assert "^^^^" in shown
    assert f"{working.topic('orders')}, partition" in shown
    assert dlq("show", negative, "--json")["event"]["properties"]["total"] == -2.5
    assert "ff fe" in dlq("show", str(found["not_utf8"].place))
    assert "footfall dlq list" in dlq("show", "0:999", code=1)

    # Where an edit does not fit, the others go on.
    tried = dlq("replay", "--all", "--set", "properties.total[0]=1", "--json", code=1)
    assert (tried["sent"], len(tried["refused"])) == (0, 5)

    # Unmended it is refused, and says why; mended it is sent.
    refused = dlq("replay", negative, "--json", code=1)
    assert refused["sent"] == 0
    assert "negative_money" in refused["refused"][0]["why"]
    assert dlq("replay", negative, "--set", "properties.total=2.5", "--dry-run", "--json")["would_send"] == 1
    for _ in range(2):
        dlq("replay", negative, "--set", "properties.total=2.5")
    assert dlq("replay", "--reason", "bad_value", "--set", "properties.total=10", "--json")["sent"] == 1
    assert dlq("replay", "--reason", "no_customer", "--set", "userId=bob", "--json")["sent"] == 1
    want = {"ann": (2, 1250), "bob": (1, 725)}
    until(lambda: revenue(working), lambda found: found == want, "mended orders are counted")

    listed = dlq("list", "--json", "--examples", "9")
    assert (listed["open"], listed["replayed"]) == (2, 3)
    assert {one["letter"] for one in listed["letters"] if one["replayed"]} >= {negative}
    again = dlq("replay", "--reason", "negative_money", "--set", "properties.total=9", "--json")
    assert (again["sent"], again["replayed_before"]) == (0, 1)
    assert dlq("list", "--open", "--json")["total"] == 2


def test_an_interrupted_replay_goes_on_and_every_event_counts_once(
    working: Settings, dlq: Dlq, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No messageId: mended they get one; and views, which no order id could tell apart.
    view = {"type": "track", "event": "Product Viewed", "timestamp": AT, "userId": "cid"}
    raw = [json.dumps({**view, "properties": {"product_id": f"p{n}", "price": []}}).encode() for n in range(30)]
    send(working, CLICKSTREAM, [(b"cid", value) for value in raw])
    letters(working, 30)
    monkeypatch.setattr("deploy.commands.dlq.CHUNK", 10)
    true_note, left = dead_letters.note, [14]

    def note_until_killed(*arguments: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        true_note(*arguments)

    monkeypatch.setattr(dead_letters, "note", note_until_killed)
    dlq("replay", "--all", "--set", "properties.price=1", code=130)
    monkeypatch.setattr(dead_letters, "note", true_note)
    # Another mend the second time: what was sent and not noted is the same event all the same.
    second = dlq("replay", "--all", "--set", "properties.price=2", "--json")
    assert second["sent"] >= 16
    dlq("replay", "--all", "--set", "properties.price=3")
    send(working, CLICKSTREAM, [(b"cid", json.dumps({**view, "properties": {"product_id": "last"}}).encode())])
    until(
        lambda: {name: profile.events for name, profile in profiles(working).items()},
        lambda found: found == {"cid": 31},
        "each is counted once",
    )


def test_a_fixed_file_and_force(working: Settings, dlq: Dlq, tmp_path_factory: pytest.TempPathFactory) -> None:
    send(working, ORDERS, [(b"dan", b'{"type": "track", "eve'), (b"dan", order("dan", 1, "x"))])
    broken, wrong = sorted(letters(working, 2), key=lambda letter: len(letter.value))
    fixed = tmp_path_factory.mktemp("fixed") / "fixed.jsonl"
    fixed.write_text(json.dumps({"letter": str(broken.place), "event": json.loads(order("dan", 2, 5))}) + "\n")
    assert dlq("replay", "--from-file", str(fixed), "--json")["sent"] == 1
    until(lambda: revenue(working), lambda found: found == {"dan": (1, 500)}, "the event of the file is counted")
    # Sent as it is, it is refused again: another letter, which names the first.
    assert dlq("replay", str(wrong.place), "--force", "--json")["sent"] == 1
    newest = letters(working, 3)[-1]
    assert (newest.replay_of, newest.reason, newest.replayed) == (str(wrong.place), "bad_value", None)


def test_an_event_too_large_to_be_kept_whole_stops_nobody(working: Settings, dlq: Dlq) -> None:
    # Compressed it passes the topic's limit; as it is it would pass none of ours.
    producer = Producer(
        {
            "bootstrap.servers": working.kafka_brokers,
            "compression.type": "lz4",
            "message.max.bytes": 100_000_000,
            "partitioner": "murmur2_random",
        }
    )
    producer.produce(working.topic(ORDERS.name), b"x" * 20_000_000, b"eve")
    assert producer.flush(60) == 0
    send(working, ORDERS, [(b"eve", order("eve", 1, 1))])
    until(lambda: revenue(working), lambda found: found == {"eve": (1, 100)}, "the worker goes on")
    (letter,) = letters(working, 1)
    assert (letter.reason, letter.size, letter.cut) == ("too_large", 20_000_000, True)
    assert "bytes were kept" in dlq("replay", str(letter.place), "--force", code=1)
    assert dead_letters.read_one(working, Place(*letter.place)) == letter
