"""Laws of reading what was fetched: in pieces of any size it gives what aiokafka gives, and never goes on too far."""

from typing import Any, NamedTuple

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from stream.kafka.transport import Fetch, Fetched

INPUT = TP("clickstream", 0)
THEIRS = Fetched.__mro__[1]
T0 = 1_700_000_000_000
ABORT, COMMIT = b"\x00\x00\x00\x00", b"\x00\x00\x00\x01"
ATTRIBUTES, CRC, CONTROL = 21, 17, 0x20


class Log(NamedTuple):
    """A stretch of a log, where its aborted transactions begin, its end, and the last offset of its first batch."""

    raw: bytes
    aborted: list[tuple[int, int]]
    end: int
    first: int


def batch(first: int, kept: list[bool], producer: int = -1, *, transactional: bool = False, lz4: bool = False) -> bytes:
    """A batch that begins with the offset `first`; a cleaner has left only those of its records that are `kept`."""
    built = DefaultRecordBatchBuilder(2, 3 if lz4 else 0, transactional, producer, 0, 0, 1 << 20)
    for index, there in enumerate(kept):
        if there:
            built.append(index, T0 + index, b"ann", b"%d" % (first + index), [("h", b"x")])
    return placed(built, first, len(kept) - 1)


def marker(first: int, producer: int, key: bytes) -> bytes:
    built = DefaultRecordBatchBuilder(2, 0, True, producer, 0, 0, 1 << 20)
    built.append(0, T0, key, b"\x00\x00\x00\x00\x00\x00", [])
    return placed(built, first, 0, CONTROL)


def placed(built: Any, first: int, last: int, more: int = 0) -> bytes:
    """The batch where the broker puts it, with what the broker or its cleaner change."""
    raw = bytearray(built.build())
    raw[:8] = first.to_bytes(8, "big")
    raw[ATTRIBUTES + 1] |= more
    raw[ATTRIBUTES + 2 : ATTRIBUTES + 6] = last.to_bytes(4, "big")
    raw[CRC : CRC + 4] = calc_crc32c(bytes(raw[ATTRIBUTES:])).to_bytes(4, "big")
    return bytes(raw)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    raw, aborted, end = b"", [], draw(st.integers(0, 5))
    ends: list[int] = []
    begun: dict[int, int] = {}
    for _ in range(draw(st.integers(1, 8))):
        producer = draw(st.integers(0, 2))
        if producer in begun and draw(st.booleans()):
            key = draw(st.sampled_from((ABORT, COMMIT)))
            first = begun.pop(producer)
            if key == ABORT:
                aborted.append((producer, first))
            raw += marker(end, producer, key)
            end += 1
            continue
        kept = draw(st.lists(st.booleans(), min_size=1, max_size=6).filter(any))
        transactional = producer > 0
        if transactional:
            begun.setdefault(producer, end)
        raw += batch(end, kept, producer if transactional else -1, transactional=transactional, lz4=draw(st.booleans()))
        end += len(kept)
        ends.append(end)
    return Log(raw, sorted(aborted, key=lambda one: one[1]), end, ends[0] - 1)


def reading(kind: Any, raw: bytes, aborted: list[tuple[int, int]], start: int, level: int = 1) -> Any:
    return kind(INPUT, MemoryRecords(raw), aborted, start, None, None, True, level)


@given(logs(), st.data())
def test_in_pieces_of_any_size_it_is_what_aiokafka_reads(log: Log, data: Any) -> None:
    # A broker answers with whole batches, from the one that holds what was asked for.
    start, level = data.draw(st.integers(0, log.first)), data.draw(st.sampled_from((0, 1)))
    theirs = reading(THEIRS, log.raw, log.aborted, start, level)
    whole = [(one.offset, one.timestamp, one.key, one.value, one.headers) for one in theirs]
    ours = reading(Fetched, log.raw, log.aborted, start, level)
    found: list[Any] = []
    while True:
        most = data.draw(st.integers(1, 4))
        taken = ours.take(most)
        found += [(one.offset, one.timestamp, one.key, one.value, tuple(one.headers)) for one in taken]
        left = [one for one in whole if one[0] >= ours.next_fetch_offset]
        assert found + left == whole, "what is fetched next begins behind what was taken, and skips nothing"
        if len(taken) < most:
            break
    assert ours.next_fetch_offset == theirs.next_fetch_offset == log.end


class Assignment:
    """One partition that is assigned, read from `position`."""

    active, paused = True, False

    def __init__(self, position: int) -> None:
        self.position = position

    def state_value(self, _: TP) -> "Assignment":
        return self

    def consumed_to(self, position: int) -> None:
        self.position = position


@given(logs(), st.integers(1, 4))
def test_the_position_follows_what_was_handed_on(log: Log, most: int) -> None:
    assignment = Assignment(0)
    fetch = Fetch(INPUT, assignment=assignment, partition_records=reading(Fetched, log.raw, log.aborted, 0), backoff=0)
    offsets = [one.offset for one in reading(THEIRS, log.raw, log.aborted, 0)]
    while fetch.has_more():
        taken = fetch.getall(most)
        assert [one.offset for one in taken] == offsets[: len(taken)]
        del offsets[: len(taken)]
        assert not offsets or assignment.position <= offsets[0]
    assert (offsets, assignment.position, fetch.getall(most)) == ([], log.end, [])


def test_nothing_is_handed_on_once_it_is_read_from_elsewhere() -> None:
    assignment = Assignment(0)
    records = reading(Fetched, batch(0, [True] * 4), [], 0)
    fetch = Fetch(INPUT, assignment=assignment, partition_records=records, backoff=0)
    assert len(fetch.getall(2)) == 2
    assignment.position = 1
    assert fetch.getall(2) == []
    assert not fetch.has_more()


def test_a_broken_batch_is_refused_and_fetched_again() -> None:
    assignment = Assignment(0)
    raw = bytearray(batch(0, [True, True]) + batch(2, [True]))
    raw[-1] ^= 1
    records = reading(Fetched, bytes(raw), [], 0)
    fetch = Fetch(INPUT, assignment=assignment, partition_records=records, backoff=0)
    with pytest.raises(CorruptRecordException, match="checksum"):
        fetch.getall(10)
    assert assignment.position == 0
    assert fetch.getall(10) == []


def test_aiokafka_reads_by_it() -> None:
    assert (fetcher.PartitionRecords, fetcher.FetchResult) == (Fetched, Fetch)
