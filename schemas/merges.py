"""The topic `merges`: what one partition asks of another so that a device's behaviour becomes its customer's.

One record a line of this table, as JSON, told apart by `kind`; a new kind is one more type in `Merge`.

    kind     from             to               says
    link     the user's       the device's     this user signed in on this device at that time
    carry    the device's     the user's       everything that the device did before; once for each `generation`
    event    the device's     the user's       an event of the device that came after its behaviour had moved
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from schemas.decode import explain
from schemas.errors import Reason, Rejected

Name = Annotated[str, Meta(min_length=1)]


class Link(Struct, frozen=True, kw_only=True, tag_field="kind", tag="link"):
    """`user` was signed in on `device` at event time `at` (epoch ms): what it did until then is hers."""

    device: Name
    user: Name
    at: int


class Carry(Struct, frozen=True, kw_only=True, tag_field="kind", tag="carry"):
    """`device` hands its whole profile (as stored, in base64) to `user`, who signed in at `at`.

    `generation` grows with each profile that the device hands over, so that one which comes twice is known.
    """

    device: Name
    user: Name
    at: int
    generation: int
    profile: bytes


class Forward(Struct, frozen=True, kw_only=True, tag_field="kind", tag="event"):
    """An event (its bytes, in base64) that counts for `user`; topic, partition, offset, arrival: where it stood."""

    user: Name
    topic: str
    partition: int
    offset: int
    arrived: int
    event: bytes


Merge = Link | Carry | Forward

_decoder = msgspec.json.Decoder(Merge)


def decode_merge(raw: bytes | None) -> Merge:
    """The record that `raw` says. Raises `Rejected`."""
    if not raw:
        raise Rejected(Reason.EMPTY, "the message has no value")
    try:
        said: Merge = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise explain(error, raw) from None
    return said
