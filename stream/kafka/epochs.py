"""The output side of a stage: records are sent at once, and grouped into epochs whose acknowledgement can be awaited.

The barrier closes an epoch and waits for it while the next one is already being filled. One thread only: delivery
reports are served by `poll`, which the stage calls from its event loop.
"""

import asyncio

from confluent_kafka import KafkaError, Message
from confluent_kafka import Producer as Client

from schemas.errors import FootfallError
from stream.kafka.producer import Headers, config

POLL_S = 0.005
ROOM = 50_000


class NotDelivered(FootfallError):
    """Kafka did not take a record in spite of retries: the stage must restart from its last commit."""


class Epoch:
    """What was sent between two barriers, counted until Kafka has acknowledged all of it."""

    __slots__ = ("_waiter", "error", "outstanding")

    def __init__(self) -> None:
        self.outstanding = 0
        self.error: KafkaError | None = None
        self._waiter: asyncio.Future[None] | None = None

    def delivered(self, error: KafkaError | None, message: Message) -> None:  # noqa: ARG002
        """Kafka's report on one record."""
        self.outstanding -= 1
        if error is not None:
            self.error = error
        if self._waiter is not None and self.outstanding == 0 and not self._waiter.done():
            self._waiter.set_result(None)

    async def acknowledged(self) -> None:
        """Wait for the last report. Raises `NotDelivered`. Call it once nothing more is sent in this epoch."""
        if self.outstanding:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.error is not None:
            raise NotDelivered(f"Kafka did not take a record: {self.error.str()}")


class Writer:
    """Sends a stage's records, each in the current epoch."""

    def __init__(self, brokers: str, prefix: str, client: str, delivery_s: float = 120.0) -> None:
        self._client = Client(config(brokers, client, delivery_s) | {"linger.ms": 5})
        self._prefix = prefix
        self._epoch = Epoch()

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int = -1,
        headers: Headers | None = None,
        epoch: Epoch | None = None,
    ) -> None:
        """Queue one record (None: a tombstone), in the current epoch or another; partition -1 lets the key decide."""
        epoch = self._epoch if epoch is None else epoch
        listed = list(headers) if headers else None
        while True:
            try:
                self._client.produce(
                    self._prefix + topic, value, key, partition, on_delivery=epoch.delivered, headers=listed
                )
            except BufferError:
                self._client.poll(POLL_S)
            else:
                epoch.outstanding += 1
                return

    def next_epoch(self) -> Epoch:
        """Close the current epoch and return it; what is sent from now on belongs to the next."""
        closed, self._epoch = self._epoch, Epoch()
        return closed

    @staticmethod
    def epoch() -> Epoch:
        """An epoch beside the current one: only what is sent with it belongs to it."""
        return Epoch()

    def drop(self) -> None:
        """Give up what Kafka has not acknowledged yet: it is reported as not delivered."""
        self._client.purge()

    async def room(self) -> None:
        """Wait while too much is unacknowledged: a slow broker slows the stage, it does not fill its memory."""
        self._client.poll(0)
        while len(self._client) > ROOM:
            await asyncio.sleep(POLL_S)
            self._client.poll(0)

    async def serve(self) -> None:
        """Serve delivery reports until cancelled."""
        while True:
            self._client.poll(0)
            await asyncio.sleep(POLL_S)
