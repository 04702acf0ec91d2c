"""A budget of alerts: at most so many of a kind a day over the whole shop, and rather those that are worth most.

Each partition has its part of a day's budget and asks nobody; what does not divide goes round, a day each. Spent is
what is sent: the held out get nothing and spend nothing. But for them, too, there must be room: whether there is says
nothing of who they are, so that both groups are of customers who were decided on alike, and compare.

So that a day's budget is not gone by breakfast, yesterday tells who is still to come: an alert is sent if fewer of
those who came at this hour or later were worth more than there is budget left. Towards the end of the day whoever comes
gets what is left. What was spent is in the state of the decisions; who came is forgotten by a worker that restarts,
which then sends to whoever comes first until it has seen a day.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final

from online.said import Said
from schemas.features import DAY_MS

SPENT: Final = "spent"
WORTH: Final = "worth_less"
# Of so many who came for a kind on a day it is known what they are worth: the newest.
CAME: Final = 4_096
# Days whose spending is known: as many as `Said` remembers alerts, and the one that begins.
DAYS: Final = 9


def part(limit: int, number: int, partitions: int, day: int) -> int:
    """The part of a day's budget that partition `number` has.

    >>> [part(5, number, 3, day) for day in (0, 1, 2) for number in (0, 1, 2)]
    [2, 2, 1, 1, 2, 2, 2, 1, 2]
    """
    return limit // partitions + ((number - day) % partitions < limit % partitions)


class Budget:
    """One partition's budget, by kind; kinds without a limit are free. Days are those of the shop's `zone`.

    `held_back` counts alerts that were not sent, by kind and reason: nothing was left, or it was kept for others.
    """

    def __init__(self, limits: Mapping[str, int], number: int = 0, partitions: int = 1, zone: tzinfo = UTC) -> None:
        self.held_back: Counter[tuple[str, str]] = Counter()
        self._limits = limits
        self._number, self._partitions = number, partitions
        self._zone = zone
        self._spent: defaultdict[int, Counter[str]] = defaultdict(Counter)
        # By kind and day: when each customer came last, and what was then at stake.
        self._came: defaultdict[str, dict[int, dict[str, tuple[int, float]]]] = defaultdict(dict)

    def change(self, before: Said, after: Said) -> None:
        """What was said to a customer who is treated, as the store has it: it was spent."""
        for sign, said in ((-1, before), (1, after)):
            for spoken in said.spoken:
                self._spent[self._day(spoken.at)][spoken.kind] += sign

    def spend(self, kind: str, at: int) -> None:
        """An alert is sent."""
        if kind in self._limits:
            day = self._day(at)
            self._spent[day][kind] += 1
            for old in [known for known in self._spent if known <= day - DAYS]:
                del self._spent[old]

    def allows(self, kind: str, customer: str, at: int, worth: float) -> bool:
        """Whether there is room for an alert of a kind at `at` (epoch ms), `worth` so much money."""
        limit = self._limits.get(kind)
        if limit is None:
            return True
        day = self._day(at)
        self._note(kind, day, customer, (at, worth))
        left = part(limit, self._number, self._partitions, day) - self._spent[day][kind]
        yesterday = self._came[kind].get(day - 1, {})
        better = sum(came > at - DAY_MS and more > worth for came, more in yesterday.values())
        if better < left:
            return True
        self.held_back[kind, WORTH if left > 0 else SPENT] += 1
        return False

    def _note(self, kind: str, day: int, customer: str, came: tuple[int, float]) -> None:
        days = self._came[kind]
        for old in [known for known in days if known < day - 1]:
            del days[old]
        today = days.setdefault(day, {})
        today.pop(customer, None)
        today[customer] = came
        if len(today) > CAME:
            del today[next(iter(today))]

    def _day(self, at: int) -> int:
        return datetime.fromtimestamp(at / 1000, self._zone).toordinal()


def limits_of(given: Mapping[str, int], kinds: Mapping[str, object]) -> dict[str, int]:
    """The limits by kind; `ValueError` for kinds that there are not, and for less than none."""
    unknown = sorted(given.keys() - kinds.keys())
    if unknown:
        raise ValueError(f"no alerts of kind {', '.join(unknown)}; there are {', '.join(kinds)}")
    for kind, limit in given.items():
        if limit < 0:
            raise ValueError(f"{kind}: {limit} alerts a day are less than none")
    return dict(given)
