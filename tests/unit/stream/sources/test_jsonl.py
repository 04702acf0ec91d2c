import gzip
from pathlib import Path

import pytest

from schemas.decode import decode
from schemas.errors import OperatorError, Reason, Rejected
from stream.sources import jsonl

VIEW = (
    b'{"type":"track","event":"Product Viewed","userId":"u1","timestamp":"2024-05-01T12:00:00Z",'
    b'"properties":{"product_id":"p1"}}'
)
ORDER = (
    b'{"type":"track","event":"Order Completed","anonymousId":5,"timestamp":1714564801,'
    b'"properties":{"order_id":"o1","total":5,"products":[]}}'
)


def write(path: Path, *lines: bytes) -> Path:
    data = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_topic_by_event_and_key_by_customer(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, VIEW, b"", ORDER)
    view, order = jsonl.events(path)
    assert (view.topic, view.key, view.at) == ("clickstream", b"u1", 1714564800000)
    assert (order.topic, order.key, order.at) == ("orders", b"5", 1714564801000)
    assert (view.value, order.value) == (VIEW, ORDER)
    assert jsonl.count(path) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", Reason.NOT_JSON),
        (b"[1, 2]", Reason.WRONG_TYPE),
        (VIEW.replace(b"u1", b"\xff\xfe"), Reason.NOT_UTF8),
        (VIEW.replace(b'"userId":"u1",', b""), Reason.NO_CUSTOMER),
        (VIEW.replace(b"2024-05-01T12:00:00Z", b"1970-01-01"), Reason.TIMESTAMP_TOO_OLD),
        (VIEW.replace(b"p1", b"x" * 2_000_000), Reason.TOO_LARGE),
    ],
)
def test_broken_lines_are_sent_on_and_the_engine_says_why(tmp_path: Path, line: bytes, reason: Reason) -> None:
    path = write(tmp_path / "log.jsonl", VIEW, line, ORDER)
    events = list(jsonl.events(path))
    assert len(events) == 3
    assert events[1].at in (1714564800000, events[0].at)
    with pytest.raises(Rejected) as caught:
        decode(events[1].value, "USD")
    assert caught.value.reason == reason
    assert events[2].value == ORDER


def test_part_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", VIEW, ORDER, VIEW, ORDER)
    assert [event.value for event in jsonl.events(path, limit=3, start=1)] == [ORDER, VIEW]


def test_a_cut_off_gzip_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl.gz", *[VIEW] * 1000)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(OperatorError, match="fetch it again"):
        list(jsonl.events(path))
