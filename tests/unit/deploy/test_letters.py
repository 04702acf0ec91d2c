"""How dead letters are shown."""

from dataclasses import replace

import pytest

from deploy import letters
from schemas.errors import OperatorError, Reason
from stream.kafka.dead_letters import Letter, Origin, Place

NOW = 1_800_000_000_000
LETTER = Letter(
    Place(0, 12), Origin("orders", 1, 7), Reason.NEGATIVE_MONEY, "-1 is negative", "$.total", 5, 9, b"ann", b"{}", 2
)


def test_counts_by_reason_and_topic_the_most_frequent_first() -> None:
    other = replace(LETTER, reason="empty", rejected=3, replayed=4)
    found = letters.counts([other, LETTER, replace(LETTER, rejected=11), replace(LETTER, replayed=20)])
    assert [tuple(count) for count in found] == [
        ("negative_money", "orders", 2, 1, 9, 11),
        ("empty", "orders", 0, 1, 3, 3),
    ]


def test_since_is_a_span_or_a_time() -> None:
    assert letters.parse_since("90m", NOW) == NOW - 5_400_000
    assert letters.parse_since("2d", NOW) == NOW - 2 * 86_400_000
    assert letters.parse_since("2027-01-15T08:00:00", NOW) == NOW
    assert letters.parse_since("2027-01-15T09:00:00+01:00", NOW) == NOW


@pytest.mark.parametrize("text", ["", "2", "2w", "yesterday", "-2h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="--since"):
        letters.parse_since(text, NOW)


def test_places() -> None:
    assert letters.parse_place("3:14") == (3, 14)
    assert str(Place(3, 14)) == "3:14"


@pytest.mark.parametrize("text", ["3", "3:", "a:1", "3:14:15", "-1:2", "³:1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="PARTITION:OFFSET"):
        letters.parse_place(text)


def test_the_field_at_fault_is_underlined() -> None:
    assert letters.pointed(replace(LETTER, value=b'{"total": -1, "x": 2}')) == [
        '{"total": -1, "x": 2}',
        "          ^^",
    ]


def test_a_long_event_is_shown_around_the_fault() -> None:
    value = b'{"a": "%s", "total": -1, "z": "%s"}' % (b"a" * 5_000, b"z\\n" * 2_000)
    shown, under = letters.pointed(replace(LETTER, value=value))
    assert len(shown) < 120
    assert shown[under.index("^") : under.rindex("^") + 1] == "-1"


@pytest.mark.parametrize("value", [b"\xff{}", b"{}"])
def test_nothing_is_underlined_where_nothing_can_be(value: bytes) -> None:
    assert letters.pointed(replace(LETTER, value=value, path="$")) == []


def test_bytes_that_are_no_text_are_shown_in_hex_from_before_the_first_bad_one() -> None:
    value = b"a" * 200 + b"\xff\x00tail"
    shown = letters.lines(replace(LETTER, value=value))
    assert shown[0].startswith(f"{(200 // 16 - 4) * 16:08x}  61 61")
    assert "ff 00 74 61 69 6c" in shown[-1]
    assert shown[-1].endswith("aaaaaaaa..tail")


def test_long_hex_says_how_much_is_left_out() -> None:
    shown = letters.lines(replace(LETTER, value=b"\xff" * 10_000))
    assert len(shown) == 65
    assert shown[-1] == f"… {10_000 - 64 * 16:,} more bytes"


def test_json_has_the_event_where_it_is_one() -> None:
    assert letters.as_json(replace(LETTER, value=b'{"a": 1}'))["event"] == {"a": 1}
    assert letters.as_json(replace(LETTER, value=b"{"))["text"] == "{"
    assert letters.as_json(replace(LETTER, value=b"\xff"))["hex"] == "ff"
    assert letters.as_json(LETTER)["letter"] == "0:12"


def test_a_reason_of_a_newer_release_is_shown_all_the_same() -> None:
    assert "does not know" in letters.remedy("too_shiny").words
