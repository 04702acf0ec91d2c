"""Which records name a customer, in every form in which one can."""

import json

import pytest

from deploy.erase.naming import Headers, Naming
from schemas.errors import Reason, Rejected
from schemas.merges import Carry, Erase, Forget, Forward, Link
from schemas.outputs import Interaction, encode
from stream.features.codec import encode_profile
from stream.features.ids import Identity
from stream.features.kept import Moment
from stream.features.profile import Profile
from stream.kafka import dead_letters
from tests.unit.stream.kafka.test_dead_letters import Record

ANN = Naming("ann/ä")
ORIGIN = dead_letters.Origin("clickstream", 0, 7)


def hers(topic: str, key: str | None, value: bytes | None = b"{}", headers: Headers = ()) -> bool:
    return ANN.in_record(topic, None if key is None else key.encode(), value, headers)


@pytest.mark.parametrize("topic", ["clickstream", "orders", "features", "scores", "profiles", "decisions", "examples"])
def test_a_key_names_her_also_without_a_value(topic: str) -> None:
    assert hers(topic, "ann/ä", None)
    assert not hers(topic, "ann", None)


@pytest.mark.parametrize("field", ["userId", "anonymousId", "customer"])
@pytest.mark.parametrize("write", [json.dumps, lambda value: json.dumps(value, ensure_ascii=False)])
def test_json_names_her_however_it_is_written(field: str, write: type[str]) -> None:
    value = write({field: "ann/ä", "x": 1}).encode()
    assert hers("orders", None, value)
    assert hers("examples", "id", value.replace(b"/", b"\\/"))
    assert not hers("orders", None, write({field: "bob", "about": "ann/ä"}).encode())
    assert not hers("orders", None, write({field: "ann/äs"}).encode())


def test_a_number_names_a_customer_and_half_an_event_does() -> None:
    seven = Naming("7")
    assert seven.in_record("orders", None, b'{"userId": 7}', ())
    assert not seven.in_record("orders", None, b'{"userId": 77}', ())
    assert hers("orders", None, '{"userId": "ann/ä", "tim'.encode())
    assert not hers("orders", None, b"\xff\xfe")


def test_what_is_said_of_items_is_said_of_nobody() -> None:
    for topic in ("catalogue", "items", "models"):
        assert not Naming("7").in_record(topic, b"7", b'{"product_id": "7", "name": "7"}', ())


def test_every_record_of_merges() -> None:
    at = {"at": 1, "request": "r"}
    her, bob = "ann/ä", "bob"
    said = [
        Link(device=her, user=bob, at=1),
        Carry(device=bob, user=her, at=1, generation=1, profile=b""),
        Forward(user=her, topic="t", partition=0, offset=0, arrived=0, event=b""),
        Erase(customer=her, **at),  # type: ignore[arg-type]
        Forget(holder=bob, name=her, **at),  # type: ignore[arg-type]
    ]
    assert all(hers("merges", bob, encode(one)) for one in said)
    assert not hers("merges", bob, encode(Link(device="x", user=bob, at=1)))
    interaction = Interaction(customer=her, session=1, item="", behaviour=0, at=1)  # type: ignore[arg-type]
    assert hers("interactions", "x", encode(interaction))


def test_a_devices_profile_names_who_signed_in_and_not_what_was_read_there() -> None:
    device = Profile("phone", ids=Identity(logins=[(1, "ann/ä")]))
    assert hers("profiles", "phone", encode_profile(device))
    # Long profiles are compressed.
    device.story = [Moment(n, n, 1, words=f"word {n}" * 20) for n in range(32)]
    assert hers("profiles", "phone", encode_profile(device))
    device.ids = None
    device.story = [Moment(1, 1, 1, words="ann/ä")]
    assert not hers("profiles", "phone", encode_profile(device))


def test_a_dead_letter_is_hers_by_the_key_that_its_event_had() -> None:
    refused = Rejected(Reason.NOT_JSON, "no")
    key, value, headers = dead_letters.write(ORIGIN, Record(value=b"\xff", key="ann/ä".encode()), refused, 1)
    assert ANN.in_record("dead-letters", key, value, headers)
    key, value, headers = dead_letters.write(ORIGIN, Record(value=b"\xff", key=b"bob"), refused, 1)
    assert not ANN.in_record("dead-letters", key, value, headers)


def test_models_name_nobody() -> None:
    assert not hers("models", "ann/ä", b'{"customer": "ann/\xc3\xa4"}')
