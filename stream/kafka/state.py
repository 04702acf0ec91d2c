"""What a stage keeps per partition, and how the shell hands it records and takes its changes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from stream.kafka.producer import Headers
from stream.kafka.transport import Run


class Out(Protocol):
    """Where a partition's outputs go: the topic, the key, the record; the same partition unless said otherwise.

    A record without a value says that the customer who is its key is to be forgotten.
    """

    def __call__(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None = None,
        headers: Headers | None = None,
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


class Held(NamedTuple):
    """Records of a topic that were received and not yet processed: how many, and the offset of the first."""

    records: int
    first: int


# For each of the state's topics, when it was last known to be read to its end (epoch s); None while it is not.
Ends = Callable[[], list[float | None]]


@runtime_checkable
class Waiting(PartitionState, Protocol):
    """A state that may let records wait for those of another topic before it processes them."""

    def waiting(self) -> dict[str, Held]:
        """What waits, by the topic's name on the cluster; topics of which nothing waits are left out."""

    def release(self, out: Out) -> bool:
        """Process what need not wait any longer, a bounded number of records; whether there is more of it."""


@runtime_checkable
class Counting(PartitionState, Protocol):
    """A state that knows how much it will have to write."""

    def unwritten(self) -> int:
        """How many records `changes` would give."""


@runtime_checkable
class Applying(PartitionState, Protocol):
    """A state that skips by offset what it has applied already."""

    def applied(self) -> dict[str, int]:
        """The newest offset applied, by the topic's name on the cluster; topics without any are left out."""


@runtime_checkable
class Recalling(PartitionState, Protocol):
    """A state that asks what was sent of it since the last commit, and does not say it again in other words."""

    def recall(self) -> None:
        """Read it back, once the store is restored. Blocks."""
