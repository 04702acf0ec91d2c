"""Where in a JSON text a path points: so that a person sees the field at fault."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Final

_decoder: Final = json.JSONDecoder()
_step: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_space: Final = re.compile(r"[ \t\r\n]*")
_byte: Final = re.compile(r"\(byte (\d+)\)")

Span = tuple[int, int]


def steps(path: str) -> list[str | int]:
    """The keys and indices of a JSON path; the leading `$.` may be left out. Raises ValueError.

    >>> steps("$.properties.products[1].price")
    ['properties', 'products', 1, 'price']
    """
    bare = path.removeprefix("$")
    text = bare if not bare or bare[0] in ".[" else f".{bare}"
    found = list(_step.finditer(text))
    if "".join(match.group() for match in found) != text:
        raise ValueError(f"{path!r} is no path such as properties.products[0].price")
    return [match[1] if match[1] is not None else int(match[2]) for match in found]


def locate(text: str, path: str, detail: str = "") -> Span | None:
    """First character and end of the value at `path`, or of the innermost object that should hold it.

    Where the text is no JSON, the place that `detail` names as a byte. None where nothing can be pointed at.

    >>> text = '{"price": -1}'
    >>> text[slice(*locate(text, "$.price"))]
    '-1'
    """
    try:
        way = steps(path)
        at = _skip(text, 0)
        span = (at, _end(text, at))
    except ValueError:
        return _byte_of(text, detail)
    if not way:
        return None
    for step in way:
        inner = _item(text, span[0], step) if isinstance(step, int) else _member(text, span[0], step)
        if inner is None:
            break
        span = inner
    return span


def _skip(text: str, at: int) -> int:
    match = _space.match(text, at)
    return match.end() if match else at


def _end(text: str, at: int) -> int:
    return _decoder.raw_decode(text, at)[1]


def _member(text: str, at: int, name: str) -> Span | None:
    """The value of a member of the object that begins at `at`; the last one where it is there twice, as decoders do."""
    if text[at] != "{":
        return None
    found = None
    at = _skip(text, at + 1)
    while text[at] == '"':
        key, at = scanstring(text, at + 1)
        begin = _skip(text, _skip(text, at) + 1)
        end = _end(text, begin)
        if key == name:
            found = (begin, end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _item(text: str, at: int, index: int) -> Span | None:
    """The item of the array that begins at `at`."""
    if text[at] != "[":
        return None
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _end(text, at)
        if index == 0:
            return at, end
        index -= 1
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return None


def _byte_of(text: str, detail: str) -> Span | None:
    named = _byte.search(detail)
    if named is None:
        return (len(text) - 1, len(text)) if text and "truncated" in detail else None
    at = min(len(text.encode()[: int(named[1])].decode(errors="ignore")), max(0, len(text) - 1))
    return at, at + 1
