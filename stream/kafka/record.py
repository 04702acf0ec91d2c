"""What is read of a record."""

from collections.abc import Sequence
from typing import Protocol


class Record(Protocol):
    """A record as it is read out of its batch; of which partition, its `Run` says."""

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """When it arrived or, where the topic keeps the producer's times, was made (epoch ms)."""

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...
