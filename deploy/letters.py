"""Dead letters as people and machines read them: counts, a letter as JSON, and its bytes with the fault pointed at."""

import datetime
import json
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from schemas.errors import OperatorError, Reason
from schemas.locate import locate
from schemas.remedies import REMEDIES, Remedy
from stream.kafka.dead_letters import Letter, Place

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_AROUND: Final = 50
_HEX_LINES: Final = 64
_HEX_BEFORE: Final = 4


class Count(NamedTuple):
    """How many letters of a reason and topic, open and replayed, and when the first and last were refused."""

    reason: str
    topic: str
    open: int
    replayed: int
    first: int
    last: int


def counts(letters: Iterable[Letter]) -> list[Count]:
    """Letters by reason and topic, the most frequent first."""
    groups: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        groups.setdefault((letter.reason, letter.origin.topic), []).append(letter)
    found = [
        Count(
            reason,
            topic,
            sum(letter.replayed is None for letter in group),
            sum(letter.replayed is not None for letter in group),
            min(letter.rejected for letter in group),
            max(letter.rejected for letter in group),
        )
        for (reason, topic), group in groups.items()
    ]
    return sorted(found, key=lambda count: (-count.open - count.replayed, count.reason, count.topic))


def remedy(reason: str) -> Remedy:
    """The reason in words, and what to do."""
    try:
        return REMEDIES[Reason(reason)]
    except ValueError:
        return Remedy(f"This release does not know the reason {reason}.", "Use the release that wrote the letter.")


def parse_place(text: str) -> Place:
    """`PARTITION:OFFSET`. Raises `OperatorError`."""
    match = re.fullmatch(r"(\d{1,9}):(\d{1,18})", text.strip())
    if match is None:
        raise OperatorError(f"{text} is no letter: give PARTITION:OFFSET as `footfall dlq list` shows it, such as 0:12")
    return Place(int(match[1]), int(match[2]))


def parse_since(text: str, now: int) -> int:
    """Epoch ms of `2h` (30s, 5m, 7d: so long ago) or of an ISO 8601 time, UTC where it names no zone."""
    ago = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if ago is not None:
        return now - round(float(ago[1]) * _UNITS[ago[2]] * 1000)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise OperatorError(f"--since {text}: give 30m, 2h or 7d, or a time such as 2026-05-01T12:00") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp() * 1000)


def when(at: int) -> str:
    """A time for people, UTC."""
    return datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def as_json(letter: Letter) -> dict[str, Any]:
    """The letter for machines: its bytes as `event` where they are JSON, as `text` where UTF-8, else as `hex`."""
    found: dict[str, Any] = {
        "letter": str(letter.place),
        "reason": letter.reason,
        "detail": letter.detail,
        "path": letter.path,
        **letter.origin._asdict(),
        "arrived": letter.arrived,
        "rejected": letter.rejected,
        "replayed": letter.replayed,
        "replay_of": letter.replay_of or None,
        "size": letter.size,
        "cut": letter.cut,
        "key": None if letter.key is None else letter.key.decode(errors="replace"),
    }
    text = _text(letter.value)
    if text is None:
        return found | {"hex": letter.value.hex()}
    try:
        return found | {"text": text, "event": json.loads(text)}
    except ValueError:
        return found | {"text": text}


def pointed(letter: Letter) -> list[str]:
    """An excerpt with the field at fault, and a line that underlines it; nothing where none can be pointed at."""
    text = _text(letter.value)
    span = None if text is None else locate(text, letter.path, letter.detail)
    if text is None or span is None:
        return []
    begin, end = span[0], min(span[1], span[0] + _AROUND)
    before, after = max(0, begin - _AROUND), min(len(text), end + _AROUND)
    head, tail = "… " if before else "", " …" if after < len(text) else ""
    shown = "".join(c if c.isprintable() else " " for c in text[before:after])
    return [head + shown + tail, " " * (len(head) + begin - before) + "^" * max(1, end - begin)]


def lines(letter: Letter) -> list[str]:
    """The bytes: as text where they are UTF-8, else in hex, 16 a line, from just before the first that is not."""
    raw = letter.value
    try:
        return raw.decode().splitlines() or ["(no bytes)"]
    except UnicodeDecodeError as error:
        first = max(0, error.start // 16 - _HEX_BEFORE) * 16
    last = min(len(raw), first + 16 * _HEX_LINES)
    rest = [f"… {len(raw) - last:,} more bytes"] if last < len(raw) else []
    return [_hex(raw, at) for at in range(first, last, 16)] + rest


def _hex(raw: bytes, at: int) -> str:
    part = raw[at : at + 16]
    plain = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return f"{at:08x}  {part.hex(' '):<47}  {plain}"


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None
