import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.collector.messages import Reader, iso
from stream.collector.refusal import Refused

NOW = 1_714_564_800_000


def read(body: dict[str, Any]) -> list[dict[str, Any]]:
    reader = Reader("USD", 3_600_000, lambda: "new")
    return [orjson.loads(record.value) for record in reader.batch(body, NOW)]


def message(**fields: object) -> dict[str, Any]:
    return {"type": "page", "userId": "u1", **fields}


def test_a_wrong_clock_is_corrected_by_sent_at() -> None:
    """The device's clock is an hour fast: done at 13:00, sent at 13:00:05, received at 12:00 ours."""
    body = {"batch": [message(timestamp="2024-05-01T13:00:00Z")], "sentAt": "2024-05-01T13:00:05Z"}
    (stored,) = read(body)
    assert stored["timestamp"] == "2024-05-01T11:59:55.000Z"
    assert stored["originalTimestamp"] == "2024-05-01T13:00:00Z"
    assert stored["receivedAt"] == "2024-05-01T12:00:00.000Z"


def test_a_clock_that_was_never_set_is_corrected_too() -> None:
    (stored,) = read({"batch": [message(timestamp="1970-01-01T00:01:00Z")], "sentAt": "1970-01-01T00:02:00Z"})
    assert stored["timestamp"] == "2024-05-01T11:59:00.000Z"


def test_a_message_may_carry_its_own_sent_at_and_its_original_timestamp() -> None:
    (stored,) = read({"batch": [message(originalTimestamp=NOW - 5000, sentAt=NOW)]})
    assert stored["timestamp"] == "2024-05-01T11:59:55.000Z"


def test_the_same_bytes_sent_again_are_the_same_event() -> None:
    body = {"batch": [message(timestamp=NOW - 1000)]}
    assert read(body)[0]["messageId"] == read({"batch": [message(timestamp=NOW - 1000)]})[0]["messageId"] != "new"
    assert read({"batch": [message()]})[0]["messageId"] == "new"


def test_the_batchs_context_is_every_messages() -> None:
    body = {"batch": [message(context={"locale": "de"}), message()], "context": {"locale": "en", "ip": "::1"}}
    assert [stored["context"] for stored in read(body)] == [
        {"locale": "de", "ip": "::1"},
        {"locale": "en", "ip": "::1"},
    ]


def test_a_context_of_the_wrong_type_is_refused_with_its_path() -> None:
    with pytest.raises(Refused) as caught:
        read({"batch": [message(context=[1])], "context": {"locale": "en"}})
    assert (caught.value.status, caught.value.path) == (400, "batch[0].context")


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    [
        "type",
        "event",
        "userId",
        "anonymousId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "messageId",
        "context",
        "properties",
    ]
)


@given(st.lists(st.dictionaries(fields, json, max_size=8), max_size=3), json, json)
def test_whatever_is_sent_is_taken_or_refused(messages: list[dict[str, Any]], sent: object, context: object) -> None:
    stored = []
    with contextlib.suppress(Refused):
        stored = read({"batch": messages, "sentAt": sent, "context": context})
    assert all(message["messageId"] and message["timestamp"] for message in stored)


@pytest.mark.parametrize("at", [0, NOW, NOW + 7, 4_102_444_800_000])
def test_iso(at: int) -> None:
    assert iso(at).endswith(f"{at % 1000:03d}Z")
