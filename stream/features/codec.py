"""A profile as bytes on the `profiles` topic: a msgpack array of its fields, the format's version before them."""

from dataclasses import fields
from operator import attrgetter
from typing import Any, get_type_hints

import msgspec

from stream.features.profile import Profile

VERSION = 2
_NAMES = tuple(field.name for field in fields(Profile))
_values = attrgetter(*_NAMES)
_encoder = msgspec.msgpack.Encoder()
_stored: tuple[Any, ...] = (int, *(get_type_hints(Profile)[name] for name in _NAMES))
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(tuple[_stored])


def encode_profile(profile: Profile) -> bytes:
    """The profile as bytes."""
    return _encoder.encode((VERSION, *_values(profile)))


def decode_profile(raw: bytes) -> Profile:
    """The profile that `encode_profile` wrote; `ValueError` for another version or broken bytes."""
    try:
        version, *values = _decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise ValueError(f"no profile, or one of another format than {VERSION}: {error}") from error
    if version != VERSION:
        raise ValueError(f"profile format {version} is not {VERSION}: rebuild the profiles from the logs")
    return Profile(*values)
