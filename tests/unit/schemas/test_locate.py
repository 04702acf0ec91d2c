"""Pointing at a field: the place that the decoder names, and the innermost one that there is where it is missing."""

import json

import pytest

from deploy.simulate.broken import KINDS, spoil
from deploy.simulate.session import SimEvent
from schemas.decode import decode
from schemas.errors import Reason, Rejected
from schemas.locate import locate, steps
from schemas.remedies import REMEDIES

TEXT = '{ "a" : {"b": [1, {"c": "x,]}\\"y"}], "b ": 0}, "a": {"b": [10, {"c": -2}]} }'


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("$.a.b[1].c", "-2"),
        ("a.b[0]", "10"),
        ("$.a.b[2]", '[10, {"c": -2}]'),
        ("$.a.missing", '{"b": [10, {"c": -2}]}'),
        ("$.a.b[1].c.deeper", "-2"),
        ("$.nothing", TEXT.strip()),
    ],
)
def test_the_value_at_a_path_or_what_should_hold_it(path: str, shown: str) -> None:
    span = locate(TEXT, path)
    assert span is not None
    assert TEXT[slice(*span)] == shown


def test_brackets_and_quotes_in_strings_mislead_nobody() -> None:
    text = json.dumps({"x": 'a "quoted" {[,]}', "y": [["]"], {"z": 5}]}, indent=1)
    span = locate(text, "$.y[1].z")
    assert span is not None
    assert text[slice(*span)] == "5"


def test_the_whole_event_is_no_place() -> None:
    assert locate(TEXT, "$") is None


@pytest.mark.parametrize(("raw", "shown"), [('{"a": tru}', "r"), ('{"é": x}', "x"), ('{"a": 1', "1")])
def test_text_that_is_no_json_is_pointed_at_where_it_breaks(raw: str, shown: str) -> None:
    with pytest.raises(Rejected) as refused:
        decode(raw.encode(), "USD")
    span = locate(raw, refused.value.path, refused.value.detail)
    assert span is not None
    assert raw[slice(*span)] == shown


@pytest.mark.parametrize("reason", [reason for reason in KINDS if reason is not Reason.NOT_UTF8])
def test_every_kind_of_broken_event_is_pointed_at_or_cannot_be(reason: Reason) -> None:
    true = {"type": "track", "event": "Page", "messageId": "m", "timestamp": 1_714_564_800, "userId": "c"}
    raw = spoil(SimEvent("clickstream", b"c", json.dumps(true).encode(), 0), reason).decode()
    try:
        decode(raw.encode(), "USD")
        path, detail = "$.timestamp", ""  # Only its arrival makes this one wrong.
    except Rejected as refused:
        path, detail = refused.path, refused.detail
    span = locate(raw, path, detail)
    assert (span is None) == (reason in (Reason.NO_CUSTOMER, Reason.TOO_LARGE, Reason.EMPTY))
    assert span is None or 0 <= span[0] < span[1] <= len(raw)


@pytest.mark.parametrize("path", ["a..b", "a[x]", "a[1", "a b[0]]", "."])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        steps(path)


def test_every_reason_has_its_remedy_in_sentences() -> None:
    assert set(REMEDIES) == set(Reason)
    for remedy in REMEDIES.values():
        assert remedy.words.endswith(".")
        assert remedy.advice.endswith(".")
