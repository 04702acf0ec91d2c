"""One hash for everything that is told apart by a short number: messages, orders, decisions."""

from typing import Final

from xxhash import xxh3_64_intdigest


def hash64(text: str | bytes) -> int:
    """A stable 63-bit hash (XXH3), positive so that every store and format can hold it; not for secrets."""
    return xxh3_64_intdigest(text.encode() if isinstance(text, str) else text) >> 1


MESSAGE_BYTES: Final = 6


def message_key(message: str | bytes) -> int:
    """The deduplication key of a message: 48 bits, as a customer remembers many of them.

    A new message is taken for one of 128 remembered ones once in two million million.
    """
    return xxh3_64_intdigest(message.encode() if isinstance(message, str) else message) >> 16
