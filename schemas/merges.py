"""The topic `merges`: what one partition asks of another so that a device's behaviour becomes its customer's, or a
customer is forgotten.

One record a line of this table, as JSON, told apart by `kind`; a new kind is one more type in `Merge`.

    kind     from             to               says
    link     the user's       the device's     this user signed in on this device at that time
    carry    the device's     the user's       everything that the device did before; once for each `generation`
    event    the device's     the user's       an event of the device that came after its behaviour had moved
    erase    the operator     the customer's   forget her; `again` once a device of hers has, `stub` what is left empty
    anonymise  the operator   the customer's   her profile goes on under another name, and she is forgotten
    forget   the customer's   another's        somebody's record (a device's, say) that names her does so no longer
"""

from typing import Annotated, Literal

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


class Erase(Struct, frozen=True, kw_only=True, tag_field="kind", tag="erase"):
    """Forget `customer`, as was asked at `at` (epoch ms) under the id `request`.

    `after` are the offsets where her partition of each event topic ended then (clickstream, orders): what had arrived
    before is applied first, so that it cannot come back. `again`: a device has answered, and what it had sent before
    is gone as well. `stub`: only if nothing is in the record, as after `anonymise`.
    """

    customer: Name
    at: int
    request: str
    after: list[int] = []
    step: Literal["first", "again", "stub"] = "first"


class Anonymise(Struct, frozen=True, kw_only=True, tag_field="kind", tag="anonymise"):
    """Let the profile of `customer` go on as that of `alias`, and forget her; the rest as in `Erase`."""

    customer: Name
    alias: Name
    at: int
    request: str
    after: list[int] = []


class Forget(Struct, frozen=True, kw_only=True, tag_field="kind", tag="forget"):
    """The record of `holder` names `name` no longer. `drop`: what is on its way to her there is dropped as well.

    `answer`: send the customer's partition an `erase` behind all that was sent to it from here before.
    """

    holder: Name
    name: Name
    at: int
    request: str
    drop: bool = True
    answer: bool = False


Merge = Link | Carry | Forward | Erase | Anonymise | Forget

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
