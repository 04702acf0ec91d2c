"""Lists that were shown and wait for their outcome: an item of it chosen within the window, or not.

A choice settles the newest waiting list of hers that has the item; what was not chosen from by the window's end failed.
The clock is that of her partition of the log, so that what becomes of a list depends on its own partition's order
alone, and is the same when the log is read again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from msgspec import Struct

from schemas.features import HOUR_MS
from schemas.outputs import Interaction, Shown

WINDOW_MS: Final = 24 * HOUR_MS
# The most lists that wait, and of one customer; beyond, the oldest are given up.
LIMIT: Final = 20_000
OF_ONE: Final = 16
NOWHERE: Final = -1


class Waiting(Struct, frozen=True, array_like=True):
    """A list that waits: for whom, until when, and in which partition of the log (`lane`) it stands."""

    customer: str
    shown: Shown
    until: int
    lane: int


class Settled(NamedTuple):
    """A list with its outcome: the place of the item that was chosen, from 0, or `NOWHERE`."""

    shown: Shown
    place: int


@dataclass
class _Lane:
    clock: int = 0
    due: list[tuple[int, int]] = field(default_factory=list)


class Lists:
    """Takes in what is told of lists and of choices, in each lane's order; times are epoch ms.

    `given_up` counts the lists that had to make room for others.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.given_up = 0
        self._next = 0
        self._waiting: dict[int, Waiting] = {}
        self._of: dict[str, list[int]] = {}
        self._lanes: dict[int, _Lane] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def show(self, told: Interaction, lane: int = 0) -> None:
        """A list was shown; the same items shown to her again are the same list, which waits anew."""
        shown = told.shown
        if shown is None or not shown.items or len(shown.items) != len(shown.sources):
            return
        for number in list(self._of.get(told.customer, ())):
            if self._waiting[number].shown.items == shown.items:
                self._drop(number)
        mine = self._of.get(told.customer, [])
        if len(mine) >= OF_ONE:
            self._give_up(mine[0])
        number, self._next = self._next, self._next + 1
        self._waiting[number] = Waiting(told.customer, shown, told.at + WINDOW_MS, lane)
        self._of.setdefault(told.customer, []).append(number)
        heappush(self._lane(lane).due, (told.at + WINDOW_MS, number))
        if len(self._waiting) > self.limit:
            self._give_up(next(iter(self._waiting)))

    def chosen(self, customer: str, item: str, at: int, lane: int = 0) -> Iterator[Settled]:
        """Somebody chose an item at `at`: the lists whose window that ends, and hers that had it."""
        clock = self._lane(lane)
        clock.clock = max(clock.clock, at)
        while clock.due and clock.due[0][0] < clock.clock:
            number = heappop(clock.due)[1]
            if number in self._waiting:
                yield Settled(self._drop(number).shown, NOWHERE)
        for number in reversed(self._of.get(customer, ())):
            shown = self._waiting[number].shown
            if item in shown.items:
                yield Settled(self._drop(number).shown, shown.items.index(item))
                return

    def forget(self, customer: str) -> None:
        """Nothing comes of the lists of one customer."""
        for number in list(self._of.get(customer, ())):
            self._drop(number)

    def dump(self) -> tuple[list[Waiting], dict[int, int]]:
        """What waits, in order, and each lane's clock."""
        return list(self._waiting.values()), {number: lane.clock for number, lane in self._lanes.items()}

    def load(self, waiting: list[Waiting], clocks: dict[int, int]) -> None:
        """Take over what `dump` gave."""
        self._waiting = dict(enumerate(waiting))
        self._next = len(waiting)
        self._of, self._lanes = {}, {number: _Lane(clock) for number, clock in clocks.items()}
        for number, one in self._waiting.items():
            self._of.setdefault(one.customer, []).append(number)
            heappush(self._lane(one.lane).due, (one.until, number))

    def _give_up(self, number: int) -> None:
        self._drop(number)
        self.given_up += 1

    def _lane(self, number: int) -> _Lane:
        return self._lanes.setdefault(number, _Lane())

    def _drop(self, number: int) -> Waiting:
        one = self._waiting.pop(number)
        mine = self._of[one.customer]
        mine.remove(number)
        if not mine:
            del self._of[one.customer]
        lane = self._lane(one.lane)
        # What is settled early is still among what is due: let go of it before it is the greater part.
        if len(lane.due) > 2 * len(self._waiting) + 64:
            lane.due = [(until, each) for until, each in lane.due if each in self._waiting]
            heapify(lane.due)
        return one
