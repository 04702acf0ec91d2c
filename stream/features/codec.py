"""A profile as bytes on the `profiles` topic: a short header that can be read alone, then the profile as msgpack.

The header is what an engine must know of a profile that nobody has touched yet: so a million of them are restored in
seconds, and decoded one by one when their customers come, or their timers are due.
"""

import msgspec
from msgspec import Struct

from stream.features.profile import Profile

VERSION = 2


class Header(Struct, array_like=True, frozen=True, gc=False):
    """`due` is a time (ms) before which no timer of the profile is due; `touched` and `applied` are the profile's."""

    version: int
    due: int
    touched: int
    applied: dict[int, int]


_encoder = msgspec.msgpack.Encoder()
_header = msgspec.msgpack.Decoder(Header)
_profile = msgspec.msgpack.Decoder(Profile)


def encode_profile(profile: Profile, due: int = 0) -> bytes:
    """The profile as bytes, its header's length in the first; `due` as in the header, 0 where it is not known."""
    header = _encoder.encode(Header(VERSION, due, profile.touched, profile.applied))
    return b"%c%b%b" % (len(header), header, _encoder.encode(profile))


def read_header(raw: bytes) -> Header:
    """The header alone; `ValueError` for another version or broken bytes."""
    try:
        header = _header.decode(memoryview(raw)[1 : 1 + raw[0]])
    except (msgspec.DecodeError, IndexError) as error:
        raise ValueError(f"these bytes are no profile: {error}") from error
    if header.version != VERSION:
        raise ValueError(f"profile format {header.version} is not {VERSION}: rebuild the profiles from the logs")
    return header


def decode_profile(raw: bytes) -> Profile:
    """The profile that `encode_profile` wrote; `ValueError` for another version or broken bytes."""
    read_header(raw)
    return _profile.decode(memoryview(raw)[1 + raw[0] :])
