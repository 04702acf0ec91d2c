"""The receipt of an erasure: what was removed where, what remains where and until when, without naming the customer."""

import hashlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field

from deploy.erase.local import Looked
from deploy.erase.scan import Holding
from schemas.errors import OperatorError

# Slow on purpose: whoever has the receipt must not be able to try a list of customers in a moment.
_METHOD: Final = "scrypt, N=16384, r=8, p=1, 32 bytes"


class Stretch(Struct, kw_only=True):
    """Records of hers in one partition of a topic, between two offsets (both included)."""

    partition: int
    records: int
    first: int
    last: int


class Place(Struct, kw_only=True):
    """What was `removed` from a place, and what remains there.

    `live` is still read by Footfall: new since, or not yet removed. `remaining` are records in the log's files, what
    only marks a deletion included: nobody can take single ones out, and `until` they are gone by themselves.
    """

    place: str
    what: str
    removed: int = 0
    live: int = 0
    remaining: int = 0
    until: str | None = None
    where: list[Stretch] = field(default_factory=list)


class Hashed(Struct, kw_only=True):
    """The customer, for whoever knows her id and wants to know whether the receipt is hers."""

    method: str
    salt: str
    hash: str


class Receipt(Struct, kw_only=True):
    """One erasure. `waiting_for` is the stage that had not done its part yet; empty when all have."""

    request: str
    command: str
    customer: Hashed
    asked: str
    finished: str
    waiting_for: str
    places: list[Place]
    folders: list[str]
    notes: list[str]


NOTES: Final = [
    "What models learned from her is weights and sums that name nobody; they stay.",
    "Score workers drop her from their item index when they read the deletion on interactions; counts of items stay.",
    "What one of her devices did without a user's id, and nobody signed in after, stands under the device's own id.",
]


def hashed(customer: str, salt: str | None = None) -> Hashed:
    """A customer's hash, with a salt of its own unless one is given."""
    salt = secrets.token_hex(16) if salt is None else salt
    digest = hashlib.scrypt(customer.encode(), salt=bytes.fromhex(salt), n=16384, r=8, p=1, dklen=32)
    return Hashed(method=_METHOD, salt=salt, hash=digest.hex())


def place_of(holding: Holding, removed: int = 0) -> Place:
    """A topic's line."""
    until = holding.until()
    return Place(
        place=f"topic {holding.topic.name}",
        what=holding.topic.carries.partition(";")[0],
        removed=removed,
        live=len(holding.live) if holding.kept.compact else 0,
        remaining=holding.records,
        until=None if until is None else when(until),
        where=[
            Stretch(partition=number, records=span.records, first=span.first, last=span.last)
            for number, span in sorted(holding.spans.items())
        ],
    )


def place_of_files(before: Looked, after: Looked) -> list[Place]:
    """The lines of training sets, and one that stands for all where none holds her."""
    return [
        Place(
            place=f"file {name}",
            what="training set",
            removed=rows - after.rows.get(name, 0),
            live=after.rows.get(name, 0),
        )
        for name, rows in before.rows.items()
    ] or [Place(place="files", what="training sets")]


def when(at: int) -> str:
    """Epoch ms as ISO 8601, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")


def write(folder: Path, receipt: Receipt) -> Path:
    """Write the receipt; gives the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{receipt.request}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n")
    return path


def read(path: Path, customer: str) -> Receipt:
    """The receipt in a file, which must be this customer's. Raises `OperatorError`."""
    try:
        receipt = msgspec.json.decode(path.read_bytes(), type=Receipt)
    except (OSError, msgspec.MsgspecError) as error:
        raise OperatorError(f"{path} is no receipt of an erasure: {error}") from error
    if hashed(customer, receipt.customer.salt) != receipt.customer:
        raise OperatorError(f"{path} is another customer's receipt: its hash is not that of the id given")
    return receipt
