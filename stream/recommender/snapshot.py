"""An item index as records of the topic `items`: parts and a head that names them, in two generations by turns.

The head is written last: until it is there, and if the writer dies before, the generation before it still stands. Parts
that do not give the head's digest are no index. The items' side only: who the customers are is read from the log.
"""

import hashlib
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

HEAD: Final = b"head"
PART_BYTES: Final = 4 * 1024 * 1024
LEVEL: Final = 1


class Head(Struct, frozen=True, kw_only=True):
    """Which parts make the index, and up to where (exclusive) it has learned each partition of `interactions`."""

    generation: int
    parts: int
    digest: str
    size: int
    offsets: dict[int, int]
    at: int


_heads = msgspec.json.Decoder(Head)
_encoder = msgspec.json.Encoder()


def cut(data: bytes, generation: int, offsets: dict[int, int], at: int) -> Iterator[tuple[bytes, bytes]]:
    """The records (key, value) of an index's bytes, in the order in which they are to be written."""
    packed = zlib.compress(data, LEVEL)
    starts = range(0, len(packed), PART_BYTES)
    for number, start in enumerate(starts):
        yield _key(generation, number), packed[start : start + PART_BYTES]
    head = Head(
        generation=generation, parts=len(starts), digest=_digest(packed), size=len(data), offsets=offsets, at=at
    )
    yield HEAD, _encoder.encode(head)


class Parts:
    """Records of `items` as they are read, and the index that they make."""

    def __init__(self) -> None:
        self._kept: dict[bytes, bytes] = {}

    def accept(self, key: bytes, value: bytes | None) -> None:
        """One record; the newest of a key stands."""
        if value is None:
            self._kept.pop(key, None)
        else:
            self._kept[key] = value

    def join(self) -> tuple[Head, bytes] | None:
        """The head and the index's bytes; None where none was ever written. Raises ValueError for what is not whole."""
        told = self._kept.get(HEAD)
        if told is None:
            return None
        try:
            head = _heads.decode(told)
        except msgspec.DecodeError as error:
            raise ValueError(f"the head of the item index cannot be read: {error}") from error
        packed = b"".join(self._kept.get(_key(head.generation, number), b"") for number in range(head.parts))
        if _digest(packed) != head.digest:
            raise ValueError("the parts of the item index are not those that its head names")
        opened = zlib.decompressobj()
        data = opened.decompress(packed, head.size)
        if len(data) != head.size or opened.unconsumed_tail:
            raise ValueError(f"the item index has not the {head.size} bytes that its head says")
        return head, data


def _key(generation: int, number: int) -> bytes:
    return f"{generation % 2}/{number}".encode()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
