"""One event of a source, ready to be produced."""

from typing import NamedTuple


class SourceEvent(NamedTuple):
    """`topic` without the installation's prefix; `key` is the customer (None when unreadable); `at` is epoch ms."""

    topic: str
    key: bytes | None
    value: bytes
    at: int
