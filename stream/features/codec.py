"""A profile as bytes on the `profiles` topic: msgpack arrays, the first field the format's version."""

import msgspec

from stream.features.profile import Profile

VERSION = 1
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[int, Profile])


def encode_profile(profile: Profile) -> bytes:
    """The profile as bytes."""
    return _encoder.encode((VERSION, profile))


def decode_profile(raw: bytes) -> Profile:
    """The profile that `encode_profile` wrote; `ValueError` for another version or broken bytes."""
    version, profile = _decoder.decode(raw)
    if version != VERSION:
        raise ValueError(f"profile format {version} is not {VERSION}: rebuild the profiles from the logs")
    return profile
