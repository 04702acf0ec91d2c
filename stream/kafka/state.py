"""What a stage keeps per partition, and how the shell hands it records and takes its changes."""

from collections.abc import Iterator
from typing import Protocol

from stream.kafka.producer import Headers
from stream.kafka.transport import Run


class Out(Protocol):
    """Where a partition's outputs go: the topic, the key, the record; the same partition unless said otherwise."""

    def __call__(
        self, topic: str, key: bytes | None, value: bytes, partition: int | None = None, headers: Headers | None = None
    ) -> None: ...


class PartitionState(Protocol):
    """One partition's state. `restore` gets the store's records, `changes` gives what to write back to it."""

    def restore(self, key: bytes, value: bytes | None) -> None:
        """One record of the store's topic, oldest first; None is a tombstone."""

    async def process(self, run: Run, out: Out) -> None:
        """The records of a run, in order. What it raises ends the worker; bad input must not."""

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """What has changed since the last call, as (key, value), None to delete."""

    def durable(self, out: Out) -> None:
        """What `changes` has given so far is acknowledged by Kafka: what must wait for that may be sent now."""

    def tick(self, now: int, out: Out) -> None:
        """The wall clock, about once a second, while the partition's input is read to its end."""
