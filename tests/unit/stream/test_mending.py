"""Edits, the check before a replay, and the message id that makes a mended event count once."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.decode import decode
from schemas.errors import OperatorError, Reason
from stream.kafka.dead_letters import Letter, Origin, Place
from stream.mending import Edit, mend, parse_edit, read_mended

NOW = 1_800_000_000_000
HOUR = 3_600_000


def event(**more: Any) -> dict[str, Any]:
    properties = {"product_id": "p", "price": 3}
    said = {"type": "track", "event": "Product Viewed", "timestamp": 1_714_564_800, "userId": "ann"}
    return {**said, "properties": properties, **more}


def letter(raw: dict[str, Any] | bytes, *, size: int | None = None) -> Letter:
    value = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    origin = Origin("clickstream", 1, 7)
    length = len(value) if size is None else size
    return Letter(Place(0, 12), origin, Reason.WRONG_TYPE, "", "$", 0, 0, b"original", value, length)


def mended(one: Letter, *edits: Edit, event: dict[str, Any] | None = None) -> Any:
    return mend(one, edits, event, "USD", HOUR, NOW)


def test_without_a_mend_the_bytes_stay_as_they_are_and_the_key_is_the_customers() -> None:
    one = letter(event())
    found = mended(one)
    assert (found.value, found.key, found.refused) == (one.value, b"ann", None)


def test_what_would_be_refused_again_says_so_and_keeps_its_key() -> None:
    found = mended(letter(event(properties={})))
    assert (found.refused.reason, found.key) == (Reason.MISSING_FIELD, b"original")


def test_a_time_ahead_is_refused_until_it_has_come() -> None:
    early = letter(event(timestamp=NOW + HOUR + 1))
    assert mended(early).refused.reason == Reason.TIMESTAMP_AHEAD
    assert mend(early, (), None, "USD", HOUR, NOW + 1).refused is None


@pytest.mark.parametrize(
    ("edit", "path", "value"),
    [
        ("properties.price=9.5", ("properties", "price"), 9.5),
        ("$.properties.price=null", ("properties", "price"), None),
        ("context.device.type=mobile", ("context", "device", "type"), "mobile"),
        ('userId="17"', ("userId",), "17"),
        ("properties.name=a=b", ("properties", "name"), "a=b"),
    ],
)
def test_edits_change_one_field(edit: str, path: tuple[str, ...], value: object) -> None:
    found = mended(letter(event()), parse_edit(edit))
    inner = json.loads(found.value)
    for step in path:
        inner = inner[step]
    assert (inner, found.refused) == (value, None)


def test_an_item_of_a_list_is_changed_in_its_place() -> None:
    products = [{"product_id": "a", "price": "?"}, {"product_id": "b"}]
    order = event(event="Order Completed", properties={"order_id": 1, "total": 3, "products": products})
    found = mended(letter(order), parse_edit("properties.products[0].price=1.25"))
    assert found.refused is None
    assert decode(found.value, "USD").lines[0].price == 125


@pytest.mark.parametrize("edit", ["properties.products[4].price=1", "userId.name=1", "properties[0]=1"])
def test_a_place_that_is_not_there_is_named(edit: str) -> None:
    found = mended(letter(event(properties={"product_id": "p", "products": []})), parse_edit(edit))
    assert "no such place" in str(found.refused)
    assert found.value is None


@pytest.mark.parametrize("text", ["price", "=3", "a..b=3", "$=1"])
def test_what_is_no_edit_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="--set"):
        parse_edit(text)


def test_a_mended_event_keeps_its_message_id_and_gets_the_same_one_every_time_where_it_has_none() -> None:
    with_id = mended(letter(event(messageId="m")), Edit("userId", "bob"))
    assert json.loads(with_id.value)["messageId"] == "m"
    first, second = (mended(letter(event()), Edit("properties.price", price)) for price in (1, 2))
    assert decode(first.value, "USD").message == decode(second.value, "USD").message
    assert first.value != second.value


def test_no_json_needs_the_whole_event() -> None:
    broken = letter(b'{"type": "tr')
    assert "--from-file" in str(mended(broken, Edit("userId", "ann")).refused)
    found = mended(broken, event=event())
    assert (found.refused, found.key) == (None, b"ann")


def test_half_an_event_is_never_sent() -> None:
    cut = letter(event(), size=50_000_000)
    for found in (mended(cut), mended(cut, Edit("userId", "ann"))):
        assert found.value is None
        assert "--from-file" in str(found.refused)
    assert mended(cut, event=event()).refused is None


def test_a_file_of_mended_events(tmp_path: Path) -> None:
    path = tmp_path / "fixed.jsonl"
    path.write_text('{"letter": "0:12", "event": {"a": 1}}\n\n{"letter": "1:3", "event": {}}\n')
    assert read_mended(path) == {"0:12": {"a": 1}, "1:3": {}}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"letter"', "no JSON"),
        ('{"event": {}}', "should be"),
        ('{"letter": "0:1", "event": 3}', "should be"),
        ("[]", "should be"),
        ('{"letter": "0:0", "event": {}}', "twice"),
    ],
)
def test_a_bad_line_is_named_by_its_number(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "fixed.jsonl"
    path.write_text(f'{{"letter": "0:0", "event": {{}}}}\n{line}\n')
    with pytest.raises(OperatorError, match=f"line 2: .*{said}"):
        read_mended(path)
