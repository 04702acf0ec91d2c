"""What is read of a record."""

from collections.abc import Sequence
from typing import Protocol

from stream.features.arrival import Arrival


class Record(Arrival, Protocol):
    """A record as it is read out of its batch; of which partition, its `Run` says."""

    @property
    def key(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...
