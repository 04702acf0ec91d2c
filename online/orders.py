"""One customer's orders and what changed them, so that "what stood at a time?" is answered by event time alone.

Everything told commutes and may be told twice: any order of the same reports gives the same orders.

    order 40.00 ──── total now 35.00 ──── refund 5.00 ──┼── refund 10.00        net at ┼ is 30.00
"""

import bisect
from typing import Final

from msgspec import Struct, field

from schemas.behaviours import Behaviour
from schemas.outputs import Interaction

KEPT: Final = 256
EARLY: Final = 256  # orders of which only changes have come
CHANGES: Final = 32  # of one order; later ones are not noted


class Change(Struct, array_like=True, order=True, frozen=True):
    """At `at` the message `event` said `kind` of an order: a new total, or what is given back (-1: all of it)."""

    at: int
    event: int
    kind: int
    amount: int


class Order(Struct, array_like=True):
    """One order: its first report's time and total in minor units (None: not told), what changed it, by time.

    `fuller` are later reports that told a larger total, by time: each `at` and total.
    """

    at: int
    id: int
    amount: int | None = None
    currency: str = ""
    changes: list[Change] = field(default_factory=list)
    fuller: list[tuple[int, int]] = field(default_factory=list)

    def stands(self, end: int) -> bool:
        """Whether it had not been cancelled by `end` (inclusive): one that was never was a purchase."""
        return not any(c.kind == Behaviour.CANCEL and c.amount < 0 and c.at <= end for c in self.changes)

    def report(self, at: int, amount: int | None) -> None:
        """It is reported again: the earlier time stands, and at each time the fullest total that was told by then."""
        reports = [*self.fuller, *((a, t) for a, t in ((self.at, self.amount), (at, amount)) if t is not None)]
        self.at = min(self.at, at)
        self.amount, self.fuller = None, []
        most = -1
        for when, total in sorted(reports, key=lambda told: (told[0], -told[1])):
            if total <= most:
                continue
            most = total
            if when == self.at:
                self.amount = total
            else:
                self.fuller.append((when, total))

    def net(self, end: int) -> int | None:
        """What is left of it at `end` in minor units; None where its total was not told."""
        known = [c for c in self.changes if c.at <= end]
        updated = max(((c.at, c.amount) for c in known if c.kind == Behaviour.ORDER_UPDATE), default=None)
        told = [amount for at, amount in self.fuller if at <= end]
        total = updated[1] if updated else told[-1] if told else self.amount
        if total is None:
            return None
        back = [c.amount for c in known if c.kind != Behaviour.ORDER_UPDATE]
        return 0 if any(amount < 0 for amount in back) else max(0, total - sum(back))


class Orders(Struct, array_like=True):
    """The newest `KEPT` orders, sorted by time; `early` are changes of orders that are yet to come, the newest `EARLY`.

    `forgotten` is the newest time of an order that was dropped (-1: none): of then and before nothing is known.
    """

    kept: list[Order] = field(default_factory=list)
    early: dict[int, list[Change]] = field(default_factory=dict)
    forgotten: int = -1

    @property
    def newest(self) -> int:
        """When the newest order was placed; 0 if there is none."""
        return self.kept[-1].at if self.kept else 0

    def within(self, after: int, end: int) -> list[Order]:
        """The orders placed after `after` and up to `end` that still stood then."""
        first = bisect.bisect_right(self.kept, after, key=lambda order: order.at)
        last = bisect.bisect_right(self.kept, end, key=lambda order: order.at)
        return [order for order in self.kept[first:last] if order.stands(end)]

    def place(self, at: int, number: int, amount: int | None = None, currency: str = "") -> None:
        """An order was placed. Of two reports of one the earlier time stands, and the fuller total."""
        if at <= self.forgotten:
            return
        # Whatever has no number is told apart by its time.
        number = number or -at
        order = self._find(number)
        if order is None:
            order = Order(at, number, amount, currency, self.early.pop(number, []))
        else:
            self.kept.remove(order)
            if currency and (not order.currency or (at, currency) < (order.at, order.currency)):
                order.currency = currency
            order.report(at, amount)
        bisect.insort(self.kept, order, key=lambda order: (order.at, order.id))
        if len(self.kept) > KEPT:
            self.forgotten = self.kept.pop(0).at
            # Others at the very moment that was dropped are forgotten with it, whatever the order of arrival.
            while self.kept and self.kept[0].at <= self.forgotten:
                self.kept.pop(0)

    def change(self, number: int, change: Change) -> None:
        """An order was changed, before or after it was seen."""
        if not number:
            return
        order = self._find(number)
        changes = self.early.setdefault(number, []) if order is None else order.changes
        if change not in changes:
            bisect.insort(changes, change)
            del changes[CHANGES:]
        if len(self.early) > EARLY:
            del self.early[next(iter(self.early))]

    def _find(self, number: int) -> Order | None:
        return next((order for order in self.kept if order.id == number), None)


def tell(orders: Orders, told: Interaction) -> bool:
    """Take in an order, or what changed one; False for any other behaviour, which no label depends on."""
    match told.behaviour:
        case Behaviour.ORDER:
            orders.place(told.at, told.order, told.amount, told.currency)
        case Behaviour.ORDER_UPDATE if told.amount is None:
            return False
        case Behaviour.ORDER_UPDATE | Behaviour.REFUND | Behaviour.CANCEL:
            amount = -1 if told.amount is None else told.amount
            orders.change(told.order, Change(told.at, told.event, told.behaviour, amount))
        case _:
            return False
    return True
