"""A profile as bytes on the `profiles` topic: a msgpack array of its fields, compressed where it has grown long.

The format's version comes first. Message ids are packed, six bytes each and one for their age in days.
"""

from dataclasses import fields
from operator import attrgetter
from typing import Any, Final, get_type_hints

import msgspec
import numpy as np
from cramjam import zstd

from schemas.hashing import MESSAGE_BYTES
from stream.features.profile import Profile

VERSION: Final = 2
_LONG: Final = 2_000  # bytes beyond which a profile is worth compressing
_SEEN_BYTES: Final = MESSAGE_BYTES + 1
_MAGIC: Final = b"\x28\xb5\x2f\xfd"  # how every zstd frame begins (RFC 8878); no msgpack array does

_NAMES = tuple(field.name for field in fields(Profile) if field.name != "seen")
_values = attrgetter(*_NAMES)
_encoder = msgspec.msgpack.Encoder()
_types: tuple[Any, ...] = (int, int, bytes, *(get_type_hints(Profile)[name] for name in _NAMES))
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(tuple.__class_getitem__(_types))


def encode_profile(profile: Profile) -> bytes:
    """The profile as bytes."""
    newest = max(profile.seen.values(), default=0)
    raw = _encoder.encode((VERSION, newest, _pack(profile.seen, newest), *_values(profile)))
    return raw if len(raw) < _LONG else bytes(zstd.compress(raw, 1))


def decode_profile(raw: bytes) -> Profile:
    """The profile that `encode_profile` wrote; `ValueError` for another version or broken bytes."""
    try:
        version, newest, seen, *values = _decoder.decode(zstd.decompress(raw) if raw.startswith(_MAGIC) else raw)
    except (msgspec.DecodeError, OSError, ValueError) as error:
        raise ValueError(f"no profile, or not in format {VERSION}: {error}") from error
    if version != VERSION:
        raise ValueError(f"profile format {version} is not {VERSION}: rebuild the profiles from the logs")
    return Profile(seen=_unpack(seen, newest), **dict(zip(_NAMES, values, strict=True)))


def _pack(seen: dict[int, int], newest: int) -> bytes:
    # An age of more than a byte holds has been forgotten, or will be at the next flush.
    both = [message << 8 | min(newest - day, 255) for message, day in seen.items()]
    return np.array(both, "<u8").view(np.uint8).reshape(-1, 8)[:, :_SEEN_BYTES].tobytes()


def _unpack(packed: bytes, newest: int) -> dict[int, int]:
    whole = np.zeros((len(packed) // _SEEN_BYTES, 8), np.uint8)
    whole[:, :_SEEN_BYTES] = np.frombuffer(packed, np.uint8).reshape(-1, _SEEN_BYTES)
    return {both >> 8: newest - (both & 255) for both in whole.view("<u8").ravel().tolist()}
