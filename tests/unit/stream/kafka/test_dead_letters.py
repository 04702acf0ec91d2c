"""Dead letters written and read back, without Kafka in between."""

from dataclasses import dataclass
from typing import Any, cast

import pytest
from confluent_kafka import Message

from schemas.errors import Reason, Rejected
from stream.kafka import dead_letters
from stream.kafka.dead_letters import Letter, Origin, Place
from stream.kafka.producer import Headers, Producer

REFUSED = Rejected(Reason.WRONG_TYPE, "Expected `int`, got `str`", "$.properties.price")


@dataclass
class Record:
    """As aiokafka gives it."""

    value: bytes | None = b"{}"
    key: bytes | None = b"ann"
    offset: int = 41
    timestamp: int = 1_000
    headers: tuple[tuple[str, bytes], ...] = ()


class Log:
    """One partition of the dead-letters topic in memory; takes what a producer sends."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def append(self, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        # Compacted: what has no key is refused, and only what deletes has no value; a note's is empty.
        assert key is not None
        offset = len(self.messages)
        self.messages.append(cast(Message, Stored(key, value, list(headers), offset)))

    def send(self, topic: str, key: bytes | None, value: bytes, *, headers: Headers, partition: int) -> None:
        assert (topic, partition) == ("dead-letters", 0)
        assert value is not None
        self.append(key, value, headers)

    def letters(self) -> list[Letter]:
        return dead_letters.parse(self.messages)


class Stored:
    def __init__(self, key: bytes | None, value: bytes | None, headers: Any, offset: int) -> None:
        self._all = key, value, headers, offset

    def key(self) -> bytes | None:
        return self._all[0]

    def value(self) -> bytes | None:
        return self._all[1]

    def headers(self) -> Any:
        return self._all[2]

    def offset(self) -> int:
        return self._all[3]

    def partition(self) -> int:
        return 0


@pytest.fixture
def log() -> Log:
    return Log()


def refuse(log: Log, **record: Any) -> None:
    one = Record(**record)
    log.append(*dead_letters.write(Origin("t-clickstream", 3, one.offset), one, REFUSED, 2_000))


def test_what_is_written_is_read_back(log: Log) -> None:
    refuse(log, value=b'{"price": "x"}')
    assert log.letters() == [
        Letter(
            place=Place(0, 0),
            origin=Origin("t-clickstream", 3, 41),
            reason="wrong_type",
            detail="Expected `int`, got `str`",
            path="$.properties.price",
            arrived=1_000,
            rejected=2_000,
            key=b"ann",
            value=b'{"price": "x"}',
            size=14,
        )
    ]


def test_a_letter_written_again_after_a_crash_is_one_letter(log: Log) -> None:
    for offset in (41, 42, 41):
        refuse(log, offset=offset)
    assert [letter.place for letter in log.letters()] == [(0, 0), (0, 1)]


def test_a_note_settles_its_letter_and_the_same_letter_written_later(log: Log) -> None:
    refuse(log)
    refuse(log, offset=42)
    (first, _) = log.letters()
    dead_letters.note(cast(Producer, log), first, 5_000)
    refuse(log)
    assert [letter.replayed for letter in log.letters()] == [5_000, None]
    assert [dead_letters.is_note(message) for message in log.messages] == [False, False, True, False]


def test_a_deleted_letter_is_none_and_the_others_stay(log: Log) -> None:
    for offset in (41, 42):
        refuse(log, offset=offset)
    log.append(log.messages[0].key(), None, [])
    (left,) = log.letters()
    assert (left.origin.offset, left.key) == (42, b"ann")
    # A letter of before keys were its own has the event's key, and is deleted by that.
    _, value, headers = dead_letters.write(Origin("t-clickstream", 3, 43), Record(offset=43), REFUSED, 2_000)
    log.append(b"ann", value, [header for header in headers if header[0] != "footfall-key"])
    assert [letter.key for letter in log.letters()] == [b"ann", b"ann"]
    log.append(b"ann", None, [])
    assert [letter.origin.offset for letter in log.letters()] == [42]


def test_a_note_does_not_take_its_letters_place_when_the_topic_is_compacted(log: Log) -> None:
    refuse(log)
    dead_letters.note(cast(Producer, log), log.letters()[0], 5_000)
    keys = [message.key() for message in log.messages]
    assert len(set(keys)) == 2


def test_what_is_larger_than_a_record_may_be_is_cut_and_says_so(log: Log) -> None:
    refuse(log, value=b"x" * 50_000_000, key=b"k" * 10_000_000)
    (letter,) = log.letters()
    assert (letter.size, len(letter.value), letter.key, letter.cut) == (50_000_000, dead_letters.MAX_VALUE, None, True)


def test_a_tombstone_is_a_letter_without_bytes(log: Log) -> None:
    refuse(log, value=None)
    (letter,) = log.letters()
    assert (letter.value, letter.size, letter.cut) == (b"", 0, False)


def test_a_replay_refused_again_names_the_letter_it_comes_from(log: Log) -> None:
    refuse(log, headers=((dead_letters.REPLAY, b"1:7"), ("footfall-reason", b"forged"), ("other", b"x")))
    (letter,) = log.letters()
    assert (letter.replay_of, letter.reason) == ("1:7", "wrong_type")


def test_records_of_others_on_the_topic_are_passed_over(log: Log) -> None:
    log.append(b"other", b"hello", [("x-other", b"1")])
    refuse(log)
    assert [letter.place for letter in log.letters()] == [(0, 1)]
