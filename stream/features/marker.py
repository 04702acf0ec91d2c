"""Where a partition's clock stood at a barrier: a record of its own beside the profiles, under a key no customer has.

Profiles alone do not say it. Where a barrier was written half, some are newer than what will be read again, and a clock
taken from them would fire other customers' timers before the events that stop them are read.
"""

from typing import Final

import msgspec
from msgspec import Struct

MARKER: Final = b""
_VERSION = 1


class Marker(Struct, frozen=True, array_like=True, gc=False):
    """The clock (epoch ms), and whether it had caught up with the wall clock, so that it follows it in silence."""

    clock: int
    live: bool


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, Marker])


def encode_marker(marker: Marker) -> bytes:
    """The marker as bytes."""
    return _encoder.encode((_VERSION, marker))


def decode_marker(raw: bytes) -> Marker:
    """The marker that `encode_marker` wrote; `ValueError` for another version or broken bytes."""
    version, marker = _decoder.decode(raw)
    if version != _VERSION:
        raise ValueError(f"clock format {version} is not {_VERSION}: rebuild the profiles from the logs")
    return marker
