"""Dead letters mended: edits applied, the result checked as the engine will, and made to count once.

A mended event without a messageId gets one made of the letter's origin: sent twice, with whatever edits, it is one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from schemas.decode import decode
from schemas.errors import FootfallError, OperatorError, Reason, Rejected
from schemas.locate import steps
from stream.kafka.dead_letters import Letter


class Edit(NamedTuple):
    """Set the field at a JSON path to a value."""

    path: str
    value: Any


class Mended(NamedTuple):
    """What will be sent for a letter, or why it should not be; `key` is its customer's.

    `value` is None where there is nothing that could be sent: half an event, or one that an edit does not fit.
    """

    letter: Letter
    key: bytes | None
    value: bytes | None
    refused: FootfallError | None


def parse_edit(text: str) -> Edit:
    """`path=value`; the value is JSON, or else taken as text. Raises `OperatorError`.

    >>> parse_edit("properties.price=9.99"), parse_edit("userId=ann")
    (Edit(path='properties.price', value=9.99), Edit(path='userId', value='ann'))
    """
    path, equals, value = text.partition("=")
    try:
        if not equals or not steps(path.strip()):
            raise ValueError(f"{text!r} has no path or no value")
    except ValueError as error:
        raise OperatorError(f"--set {text}: {error}; write it as properties.price=9.99") from error
    try:
        return Edit(path.strip(), json.loads(value))
    except ValueError:
        return Edit(path.strip(), value)


def read_mended(path: Path) -> dict[str, dict[str, Any]]:
    """The mended events of a JSON Lines file by their letter's place. Raises `OperatorError` with the line at fault."""
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except ValueError as error:
            raise OperatorError(f"{path}, line {number}: this is no JSON ({error})") from error
        if (
            not isinstance(told, dict)
            or not isinstance(told.get("letter"), str)
            or not isinstance(told.get("event"), dict)
        ):
            raise OperatorError(f'{path}, line {number}: it should be {{"letter": "0:12", "event": {{...}}}}')
        if told["letter"] in found:
            raise OperatorError(f"{path}, line {number}: the letter {told['letter']} is there twice")
        found[told["letter"]] = told["event"]
    return found


def mend(
    letter: Letter, edits: Sequence[Edit], event: Mapping[str, Any] | None, currency: str, ahead_ms: int, now: int
) -> Mended:
    """The letter's event, replaced by `event` where there is one, with the edits applied, and checked at `now`."""
    try:
        value = _edited(letter, edits, event) if edits or event is not None else _whole(letter)
    except OperatorError as error:
        return Mended(letter, letter.key, None, error)
    try:
        found = decode(value, currency)
        if found.at > now + ahead_ms:
            raise Rejected(Reason.TIMESTAMP_AHEAD, "the event lies ahead of its arrival", "$.timestamp")
    except Rejected as refused:
        return Mended(letter, letter.key, value, refused)
    return Mended(letter, found.customer.encode(), value, None)


def _whole(letter: Letter) -> bytes:
    if letter.cut:
        raise OperatorError(
            f"only {len(letter.value):,} of its {letter.size:,} bytes were kept; send a shorter event with --from-file"
        )
    return letter.value


def _edited(letter: Letter, edits: Sequence[Edit], event: Mapping[str, Any] | None) -> bytes:
    if event is None:
        try:
            parsed = json.loads(letter.value)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or letter.cut:
            raise OperatorError("it is no JSON object that --set could change; send the event with --from-file")
        event = parsed
    mended = dict(event)
    for edit in edits:
        try:
            mended = _with(mended, steps(edit.path), edit.value)
        except (TypeError, IndexError) as error:
            raise OperatorError(f"--set {edit.path}: the event has no such place") from error
    if not mended.get("messageId"):
        origin = letter.origin
        mended["messageId"] = f"dead-letter-{origin.topic}-{origin.partition}-{origin.offset}"
    return json.dumps(mended, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _with(within: Any, way: Sequence[str | int], value: Any) -> Any:
    """`within` with a member or an item of it set; objects on the way are made where they are missing."""
    if not way:
        return value
    step, *rest = way
    if isinstance(step, str) and isinstance(within, dict):
        inner = within.get(step)
        within[step] = _with({} if inner is None else inner, rest, value)
    elif isinstance(step, int) and isinstance(within, list):
        within[step] = _with(within[step], rest, value)
    else:
        raise TypeError(step)
    return within
