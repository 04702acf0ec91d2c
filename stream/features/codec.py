"""A profile as bytes on the `profiles` topic: a short header, then its fields as msgpack, compressed where long.

The header is what an engine must know of a profile that nobody has touched yet: so a million of them are restored in
seconds, and decoded one by one when their customers come or their timers are due. Message ids are packed, six bytes
each and one for their age in days: all first bytes, all second ones, and so on, which is how they are cut out fastest.
"""

from dataclasses import fields
from operator import attrgetter
from struct import pack, unpack
from types import GenericAlias
from typing import Any, Final, get_type_hints

import msgspec
from cramjam import zstd
from msgspec import Struct

from schemas.hashing import MESSAGE_BYTES
from stream.features.profile import Profile

VERSION: Final = 3
_LONG: Final = 2_000  # bytes beyond which a profile is worth compressing
_MAGIC: Final = b"\x28\xb5\x2f\xfd"  # how every zstd frame begins (RFC 8878); no msgpack array does


class Header(Struct, array_like=True, frozen=True, gc=False):
    """`due` is a time (ms) before which no timer of the profile is due; `sending`: something of it is on its way.

    `touched` and `applied` are the profile's.
    """

    version: int
    due: int
    sending: bool
    touched: int
    applied: dict[int, int]


_NAMES = tuple(field.name for field in fields(Profile) if field.name not in ("seen", "touched", "applied"))
_values = attrgetter(*_NAMES)
_encoder = msgspec.msgpack.Encoder()
_header = msgspec.msgpack.Decoder(Header)
_types: tuple[Any, ...] = (int, bytes, *(get_type_hints(Profile)[name] for name in _NAMES))
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(GenericAlias(tuple, _types))


def encode_profile(profile: Profile, due: int = 0) -> bytes:
    """The profile as bytes, its header's length in the first; `due` as in the header, 0 where it is not known."""
    sending = profile.ids is not None and bool(profile.ids.outgoing)
    header = _encoder.encode((VERSION, due, sending, profile.touched, profile.applied))
    newest = max(profile.seen.values(), default=0)
    body = _encoder.encode((newest, _pack(profile.seen, newest), *_values(profile)))
    return b"%c%b%b" % (len(header), header, body if len(body) < _LONG else bytes(zstd.compress(body, 1)))


def read_header(raw: bytes) -> Header:
    """The header alone; `ValueError` for another version or broken bytes."""
    try:
        header = _header.decode(raw[1 : 1 + raw[0]])
    except (msgspec.DecodeError, IndexError) as error:
        raise ValueError(f"no profile, or not in format {VERSION}: {error}") from error
    if header.version != VERSION:
        raise ValueError(f"profile format {header.version} is not {VERSION}: rebuild the profiles from the logs")
    return header


def holds(raw: bytes, text: bytes) -> bool:
    """Whether the bytes of a text occur in a stored profile: cheaper than decoding it, and true where it names it."""
    body = raw[1 + raw[0] :]
    return text in (bytes(zstd.decompress(body)) if body.startswith(_MAGIC) else body)


def decode_profile(raw: bytes) -> Profile:
    """The profile that `encode_profile` wrote; `ValueError` for another version or broken bytes."""
    header = read_header(raw)
    body = raw[1 + raw[0] :]
    try:
        newest, packed, *values = _decoder.decode(zstd.decompress(body) if body.startswith(_MAGIC) else body)
        seen = _unpack(packed, newest)
    except (msgspec.DecodeError, OSError, ValueError) as error:
        raise ValueError(f"no profile, or not in format {VERSION}: {error}") from error
    return Profile(
        seen=seen,
        touched=header.touched,
        applied=header.applied,
        **dict(zip(_NAMES, values, strict=True)),
    )


def _pack(seen: dict[int, int], newest: int) -> bytes:
    words = pack(f"<{len(seen)}Q", *seen)
    try:
        ages = bytes(map(newest.__sub__, seen.values()))
    except ValueError:
        # An age of more than a byte holds has been forgotten, or will be at the next flush.
        ages = bytes(min(newest - day, 255) for day in seen.values())
    return b"".join([*(words[place::8] for place in range(MESSAGE_BYTES)), ages])


def _unpack(packed: bytes, newest: int) -> dict[int, int]:
    count, rest = divmod(len(packed), MESSAGE_BYTES + 1)
    if rest:
        raise ValueError(f"{len(packed)} bytes of messages")
    words = bytearray(8 * count)
    for place in range(MESSAGE_BYTES):
        words[place::8] = packed[place * count : (place + 1) * count]
    ages = packed[MESSAGE_BYTES * count :]
    return dict(zip(unpack(f"<{count}Q", words), [newest - age for age in ages], strict=True))
