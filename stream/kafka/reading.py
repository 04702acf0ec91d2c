"""How far a stage has read each of its partitions, and whether that is all there is."""

from collections.abc import Iterable
from typing import Any

from faust.types import TP


class Reading:
    """What the stage has received of each partition, against what its consumer knows of the end.

    `consumer` is asked for anew each time: Faust makes it when the app starts.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._received: dict[TP, int] = {}
        self._positions: dict[TP, int] = {}
        self._lately = 0

    def received(self, tp: TP, offset: int, records: int) -> None:
        """The run of so many records that ends at `offset` is with its partition's state."""
        self._received[tp] = offset
        self._lately += records

    def barrier(self) -> None:
        """What is received from now on is received since the last barrier."""
        self._lately = 0

    def behind(self) -> bool:
        """Whether more is left to read than was received since the last barrier."""
        return sum(self.lag(tp) or 0 for tp in self._app.consumer.assignment()) > self._lately

    def forget(self, revoked: Iterable[TP]) -> None:
        """These are somebody else's now."""
        for tp in revoked:
            self._received.pop(tp, None)
            self._positions.pop(tp, None)

    def hungry(self) -> bool:
        """Whether all that was handed on is received."""
        consumer = self._app.consumer
        return all(consumer.fetched.get(tp) == self._received.get(tp) for tp in consumer.assignment())

    async def note_positions(self) -> None:
        """Where reading stands beyond what was handed on: behind the marks of transactions, or a compacted end."""
        for tp, (handed, position) in (await self._app.consumer.positions()).items():
            # Then all before the position is received: there is nothing in between.
            if handed == self._received.get(tp):
                self._positions[tp] = position

    def lag(self, tp: TP) -> int | None:
        """Records of the partition not yet received; None while that is not known."""
        consumer = self._app.consumer
        end = consumer.highwater(tp)
        if end is None:
            return None
        read = self._received.get(tp)
        position = read + 1 if read is not None else consumer.committed(tp)
        return max(0, int(end) - max(int(position), self._positions.get(tp, 0)))

    def end(self, tp: TP) -> float | None:
        """When the broker last said that there is no more than was received (epoch s); None where there is, or may be.

        The time is read before the lag: it may be too early, never too late.
        """
        polled: float | None = self._app.consumer.polled(tp)
        return polled if self.lag(tp) == 0 else None
