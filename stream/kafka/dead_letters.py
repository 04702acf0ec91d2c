"""Dead letters: how they are written, read back, and remembered as replayed. Header names live here and nowhere else.

A letter is the event's bytes as they came, with headers that say why it was refused and where it stood. That it was
replayed is a note beside it: a record in the same partition of the same topic, without a reason, whose headers name
the event's origin. So there is no topic to create or keep in step, a note outlives its letter, and one reading of a
partition tells letters and notes alike. Both have keys of their own, made of the origin, so that a letter can be
deleted: by a record with its key and no value. A letter written twice (after a crash its event is read again)
is one letter, since its origin is the same, and one note settles both.

The event is sent first and its note once Kafka has the event. A replay interrupted in between sends it again, and the
engine counts it once: the message id, or the hash of the bytes, is the same both times (`stream.mending` sees to it).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from confluent_kafka import Message

from schemas.errors import OperatorError, Rejected
from schemas.topics import DEAD_LETTERS
from stream.kafka.admin import existing_topics
from stream.kafka.producer import Headers, Producer
from stream.kafka.record import Record
from stream.kafka.restore import messages
from stream.settings import Settings

# A record is larger than its letter may be where a producer compresses well; the rest of it is cut off.
MAX_VALUE: Final = 4 * 1024 * 1024
MAX_KEY: Final = 64 * 1024
PREFIX: Final = "footfall-"
# On a replayed event: the letter that it comes from. A letter of a replayed event carries it on.
REPLAY: Final = "footfall-replay"
_KEY: Final = "footfall-key"
_NOTE: Final = "footfall-replayed"


class Origin(NamedTuple):
    """Where the event stood: what makes a letter the same letter."""

    topic: str
    partition: int
    offset: int


class Place(NamedTuple):
    """Where a letter stands on the dead-letters topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter; times are epoch ms. `size` is the event's length, more than `value` has where it was cut.

    `reason` is a `Reason`'s value, or one that only a newer release knows.
    `replay_of` is the letter whose replay this is; `replayed` when this one was sent again, None while it is open.
    """

    place: Place
    origin: Origin
    reason: str
    detail: str
    path: str
    arrived: int
    rejected: int
    key: bytes | None
    value: bytes
    size: int
    replay_of: str = ""
    replayed: int | None = None

    @property
    def cut(self) -> bool:
        """Whether the event was too large to be kept whole."""
        return self.size > len(self.value)


def write(origin: Origin, record: Record, rejected: Rejected, now: int) -> tuple[bytes | None, bytes, Headers]:
    """Key, value and headers of the letter for a refused record; `now` in epoch ms."""
    value = record.value or b""
    said = {
        "reason": rejected.reason.value,
        "detail": rejected.detail[:1000],
        "path": rejected.path[:500],
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "arrived": record.timestamp,
        "rejected": now,
        "size": len(value),
    }
    headers = [(PREFIX + name, str(what).encode()) for name, what in said.items()]
    headers += [(name, what) for name, what in record.headers or () if name == REPLAY and len(what) < MAX_KEY]
    if record.key is not None and len(record.key) <= MAX_KEY:
        headers.append((_KEY, record.key))
    return _place(origin), value[:MAX_VALUE], headers


def read(settings: Settings, told: Callable[[int], None] = lambda _: None) -> list[Letter]:
    """Every letter, oldest first, each once; `told` is called with every number of records read.

    Raises `OperatorError` when no broker answers or the topic is missing.
    """
    found: list[Letter] = []
    for number in range(_partitions(settings)):
        found += parse(_records(settings, number, told))
    return sorted(found, key=lambda letter: (letter.rejected, letter.place))


def read_one(settings: Settings, place: Place) -> Letter:
    """The letter at a place. Raises `OperatorError` when there is none."""
    if place.partition < _partitions(settings):
        # A note stands behind its letter.
        topic = settings.topic(DEAD_LETTERS.name)
        behind = messages(settings.kafka_brokers, topic, place.partition, start=place.offset)
        for letter in parse(behind):
            if letter.place == place:
                return letter
    raise OperatorError(f"there is no dead letter {place}; `footfall dlq list` shows those that there are")


def parse(records: Iterable[Message]) -> list[Letter]:
    """The letters among a partition's records, in order, the first of those with the same origin, notes applied."""
    letters: dict[Origin, Letter] = {}
    keys: dict[Origin, bytes | None] = {}
    for message in records:
        if message.value() is None:
            for origin in [origin for origin in letters if keys[origin] == message.key()]:
                del letters[origin]
            continue
        headers = dict(message.headers() or ())
        if PREFIX + "offset" not in headers:
            continue
        origin = Origin(_text(headers, "topic"), _number(headers, "partition"), _number(headers, "offset"))
        if _NOTE in headers:
            if origin in letters:
                letters[origin] = replace(letters[origin], replayed=_number(headers, "replayed"))
        elif origin not in letters:
            keys[origin] = message.key()
            letters[origin] = _letter(message, headers, origin)
    return list(letters.values())


def is_note(message: Message) -> bool:
    """Whether a record of the topic is no letter, but says that one was replayed."""
    return any(name == _NOTE for name, _ in message.headers() or ())


def original_key(headers: Headers) -> bytes | None:
    """The key of the event that a letter keeps, out of its headers."""
    return dict(headers).get(_KEY)


def note(producer: Producer, letter: Letter, now: int) -> None:
    """Write down that a letter was replayed at `now` (epoch ms)."""
    said = {**letter.origin._asdict(), "replayed": now}
    headers = [(PREFIX + name, str(what).encode()) for name, what in said.items()]
    key = _place(letter.origin) + b"/replayed"
    producer.send(DEAD_LETTERS.name, key, b"", headers=headers, partition=letter.place.partition)


def _letter(message: Message, headers: dict[str, bytes], origin: Origin) -> Letter:
    value = message.value() or b""
    return Letter(
        place=Place(message.partition(), message.offset()),
        origin=origin,
        reason=_text(headers, "reason"),
        detail=_text(headers, "detail"),
        path=_text(headers, "path"),
        arrived=_number(headers, "arrived"),
        rejected=_number(headers, "rejected"),
        # A letter of before keys were its own has the event's.
        key=headers.get(_KEY) if message.key() == _place(origin) else message.key(),
        value=value,
        # Letters of before sizes were told were never cut.
        size=_number(headers, "size") if PREFIX + "size" in headers else len(value),
        replay_of=headers.get(REPLAY, b"").decode(errors="replace"),
    )


def _place(origin: Origin) -> bytes:
    return "/".join(map(str, origin)).encode()


def _text(headers: dict[str, bytes], name: str) -> str:
    return headers[PREFIX + name].decode(errors="replace")


def _number(headers: dict[str, bytes], name: str) -> int:
    return int(headers[PREFIX + name])


def _records(settings: Settings, number: int, told: Callable[[int], None]) -> Iterator[Message]:
    for message in messages(settings.kafka_brokers, settings.topic(DEAD_LETTERS.name), number):
        told(1)
        yield message


def _partitions(settings: Settings) -> int:
    topic = settings.topic(DEAD_LETTERS.name)
    counts = existing_topics(settings)
    if topic not in counts:
        raise OperatorError(f"Kafka has no topic {topic}; create it with `footfall topics --create`")
    return counts[topic]
