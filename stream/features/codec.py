"""A profile as bytes on the `profiles` topic: a short header, then its fields as msgpack, compressed where long.

The header is what an engine must know of a profile that nobody has touched yet: so a million of them are restored in
seconds, and decoded one by one when their customers come or their timers are due. Message ids are packed, six bytes
each and one for their age in days: all first bytes, all second ones, and so on, which is how they are cut out fastest.
A long profile has its counters as a list, each key as its distance from the one before, which compresses better.
"""

from dataclasses import fields
from itertools import accumulate
from operator import attrgetter
from struct import Struct as Layout
from struct import unpack
from threading import local
from types import GenericAlias
from typing import Any, Final

import msgspec
from msgspec import Struct
from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError

from schemas.hashing import MESSAGE_BYTES
from stream.features.ids import Identity
from stream.features.kept import CartOp, Entry, Moment, Sentiment
from stream.features.profile import SEEN, STORY, UNSTORED, Profile
from stream.features.windows import Counters

VERSION: Final = 4
_READABLE: Final = (3, VERSION)  # 3 had no lists of counters
_LONG: Final = 2_000  # bytes beyond which a profile is worth compressing
_LARGEST: Final = 1 << 24  # bytes of a profile that does not say how many it has
_MAGIC: Final = b"\x28\xb5\x2f\xfd"  # how every zstd frame begins (RFC 8878); no msgpack array does


class _Zstd(local):
    """A compressor of each thread's own, made once: to set one up takes longer than to compress a profile."""

    def __init__(self) -> None:
        self.compress = ZstdCompressor(level=3).compress
        self.decompress = ZstdDecompressor().decompress


class Header(Struct, array_like=True, frozen=True, gc=False):
    """`due` is a time (ms) before which no timer of the profile is due; `sending`: something of it is on its way.

    `touched` and `applied` are the profile's.
    """

    version: int
    due: int
    sending: bool
    touched: int
    applied: dict[int, int]


# A layout for each number of messages: `struct` forgets the formats that it is given when they are many.
_WORDS: Final = tuple(Layout(f"<{count}Q") for count in range(SEEN + 1))
# `seen` is packed, and the others are in the header.
_APART: Final = ("seen", "touched", "applied")
_STORED = [field for field in fields(Profile) if field.metadata != UNSTORED and field.name not in _APART]
_NAMES = tuple(field.name for field in _STORED)
_values = attrgetter(*_NAMES)
_COUNTERS: Final = 2 + _NAMES.index("counters")
_zstd = _Zstd()
_encoder = msgspec.msgpack.Encoder()
_header = msgspec.msgpack.Decoder(Header)
# What they hold is not known of a class that is compiled.
_WITHIN: dict[str, Any] = {
    "counters": dict[int, int] | list[int],
    "story": list[Moment],
    "cart": list[CartOp],
    "orders": dict[int, Entry],
    "owned": dict[str, int],
    "money": dict[str, int],
    "habits": list[int],
    "rating": tuple[int, int, float],
    "sentiments": list[Sentiment],
    "ids": Identity | None,
}
_types: tuple[Any, ...] = (int, bytes, *(_WITHIN.get(field.name, field.type) for field in _STORED))
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(GenericAlias(tuple, _types))


def encode_profile(profile: Profile, due: int = 0) -> bytes:
    """The profile as bytes, its header's length in the first; `due` as in the header, 0 where it is not known."""
    sending = profile.ids is not None and bool(profile.ids.outgoing)
    header = _encoder.encode((VERSION, due, sending, profile.touched, profile.applied))
    newest, packed = _pack(profile.seen)
    values = (newest, packed, *_values(profile))
    if len(profile.story) == STORY:
        values = (*values[:_COUNTERS], _distances(profile.counters), *values[_COUNTERS + 1 :])
    body = _encoder.encode(values)
    if len(body) >= _LONG:
        body = _zstd.compress(body)
    return b"%c%b%b" % (len(header), header, body)


def read_header(raw: bytes) -> Header:
    """The header alone; `ValueError` for another version or broken bytes."""
    try:
        header = _header.decode(raw[1 : 1 + raw[0]])
    except (msgspec.DecodeError, IndexError) as error:
        raise ValueError(f"no profile, or not in format {VERSION}: {error}") from error
    if header.version not in _READABLE:
        raise ValueError(f"profile format {header.version} is not {VERSION}: rebuild the profiles from the logs")
    return header


def holds(raw: bytes, text: bytes) -> bool:
    """Whether the bytes of a text occur in a stored profile: cheaper than decoding it, and true where it names it."""
    return text in _body(raw)


def decode_profile(raw: bytes) -> Profile:
    """The profile that `encode_profile` wrote; `ValueError` for another version or broken bytes."""
    header = read_header(raw)
    try:
        newest, packed, *values = _decoder.decode(_body(raw))
        seen = _unpack(packed, newest)
        if isinstance(values[_COUNTERS - 2], list):
            values[_COUNTERS - 2] = _counters(values[_COUNTERS - 2])
    except (msgspec.DecodeError, ZstdError, ValueError) as error:
        raise ValueError(f"no profile, or not in format {VERSION}: {error}") from error
    return Profile(
        seen=seen,
        touched=header.touched,
        applied=header.applied,
        **dict(zip(_NAMES, values, strict=True)),
    )


def _body(raw: bytes) -> bytes:
    body = raw[1 + raw[0] :]
    return _zstd.decompress(body, _LARGEST) if body.startswith(_MAGIC) else body


def _distances(counters: Counters) -> list[int]:
    """Counters by key, each as the distance from the key before it, and its sum."""
    found: list[int] = []
    before = 0
    for key in sorted(counters):
        found += (key - before, counters[key])
        before = key
    return found


def _counters(distances: list[int]) -> Counters:
    return dict(zip(accumulate(distances[::2]), distances[1::2], strict=True))


def _pack(seen: dict[int, int]) -> tuple[int, bytes]:
    """The newest day, and the packed messages."""
    count, days = len(seen), seen.values()
    each = set(days)
    newest = max(each, default=0)
    if len(each) < 2:
        ages = bytes(count)
    else:
        # An age of more than a byte holds has been forgotten, or will be at the next flush.
        table = {day: min(newest - day, 255) for day in each}
        ages = bytes(map(table.__getitem__, days))
    words = _WORDS[count].pack(*seen)
    return newest, b"".join([*[words[place::8] for place in range(MESSAGE_BYTES)], ages])


def _unpack(packed: bytes, newest: int) -> dict[int, int]:
    count, rest = divmod(len(packed), MESSAGE_BYTES + 1)
    if rest:
        raise ValueError(f"{len(packed)} bytes of messages")
    words = bytearray(8 * count)
    for place in range(MESSAGE_BYTES):
        words[place::8] = packed[place * count : (place + 1) * count]
    ages = packed[MESSAGE_BYTES * count :]
    days = {age: newest - age for age in set(ages)}
    return dict(zip(unpack(f"<{count}Q", words), map(days.__getitem__, ages), strict=True))
