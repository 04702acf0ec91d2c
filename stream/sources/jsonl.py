"""A shop's own log: one Segment event a line, plain or gzipped.

Lines that cannot be read are sent as they are: the engine dead-letters each with its reason, which is a better answer
than a replay that stops in the middle of a night.
"""

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Final, cast

import orjson

from schemas.errors import OperatorError, Rejected
from schemas.times import parse_time
from schemas.topics import CLICKSTREAM, MAX_EVENT_BYTES
from stream.sources.event import SourceEvent
from stream.sources.route import key_of, topic_of

NAME: Final = "jsonl"
# One byte more than an event may have is enough for the engine to see that it is too large.
CUT: Final = MAX_EVENT_BYTES + 1


def events(path: Path, limit: int | None = None, start: int = 0) -> Iterator[SourceEvent]:
    """The lines in the file's order, from number `start` up to number `limit`, exclusive; blank ones do not count."""
    last = 0
    for line in islice(_lines(path), start, limit):
        event = _event(line, last)
        last = event.at
        yield event


def count(path: Path) -> int:
    """How many lines are not blank."""
    return sum(1 for _ in _lines(path))


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with _open(path) as file:
            while line := file.readline(CUT):
                if len(line) == CUT and not line.endswith(b"\n"):
                    _skip_line(file)
                line = line.rstrip(b"\r\n")
                if line.strip():
                    yield line
    except (gzip.BadGzipFile, EOFError) as error:
        raise OperatorError(f"{path} is no whole gzip file ({error}); fetch it again") from error


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(CUT)) and not rest.endswith(b"\n"):
        pass


def _event(line: bytes, last: int) -> SourceEvent:
    """What a line says; an event without a readable time is taken to be of the time of the one before it."""
    try:
        message = orjson.loads(line)
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict):
        return SourceEvent(CLICKSTREAM.name, None, line, last)
    stamp = message.get("timestamp")
    try:
        at = parse_time(stamp) if isinstance(stamp, str | int | float) else last
    except Rejected:
        at = last
    return SourceEvent(topic_of(message.get("event")), key_of(message), line, at)
