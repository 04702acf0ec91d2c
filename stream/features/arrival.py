"""What the core reads of a record of the log."""

from typing import Protocol


class Arrival(Protocol):
    """A record that has arrived: where in its partition, when, and what it says."""

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """When it arrived or, where the topic keeps the producer's times, was made (epoch ms)."""

    @property
    def value(self) -> bytes | None: ...
