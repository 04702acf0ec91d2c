"""One hash for everything that is told apart by a short number: messages, orders, decisions."""

from xxhash import xxh3_64_intdigest


def hash64(text: str | bytes) -> int:
    """A stable 63-bit hash (XXH3), positive so that every store and format can hold it; not for secrets."""
    return xxh3_64_intdigest(text.encode() if isinstance(text, str) else text) >> 1
