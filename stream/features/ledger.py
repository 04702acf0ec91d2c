"""The order ledger: what each order adds to a profile, and what refunds and cancellations take back.

An entry's contribution is a function of the entry alone; a change applies the difference between the contribution
before and after it. So whatever comes in whatever order, exactly what an order added is what is taken back.
"""

from dataclasses import dataclass

from schemas.behaviours import Behaviour
from schemas.event import Event
from stream.features import windows
from stream.features.kept import Entry
from stream.features.profile import LEDGER, Profile


@dataclass(slots=True)
class Contribution:
    """What an order adds: to counts, to money paid and money returned (minor units), to pieces and discounts."""

    orders: int = 0
    paid: int = 0
    returned: int = 0
    pieces: int = 0
    discount: int = 0


_NOTHING = Contribution()


def contribution(entry: Entry) -> Contribution:
    """What this order adds as far as it is known; nothing before it was placed."""
    if not entry.placed:
        return _NOTHING
    if entry.cancelled:
        return Contribution(paid=entry.total, returned=entry.total)
    returned = entry.total if entry.returned else min(entry.refunded, entry.total)
    return Contribution(1, entry.total, returned, entry.pieces, entry.discount)


def change(profile: Profile, event: Event, base: str) -> None:
    """Apply an order, update, refund or cancellation; money in another currency than `base` is kept apart."""
    entry = profile.orders.get(event.order)
    if entry is None:
        entry = Entry(at=event.at)
    before, at, currency = contribution(entry), entry.at, entry.currency
    if not entry.placed:
        entry.at = min(entry.at, event.at)
    _UPDATES[event.behaviour](entry, event)
    after = contribution(entry)
    if (before, at) != (after, entry.at):
        _book(profile, at, currency, before, -1, base)
        _book(profile, entry.at, entry.currency, after, 1, base)
    profile.orders[event.order] = entry
    if len(profile.orders) > LEDGER:
        cut(profile)


def cut(profile: Profile) -> None:
    """Forget the oldest orders beyond `LEDGER`; what they added stays."""
    orders = profile.orders
    for order in sorted(orders, key=lambda order: (orders[order].at, order))[: max(0, len(orders) - LEDGER)]:
        del orders[order]


def join(profile: Profile, order: int, other: Entry, base: str) -> None:
    """Make one entry of an order's two, when the profile's sums hold what both have added; see `cut`."""
    entry = profile.orders.get(order)
    if entry is None:
        profile.orders[order] = other
        return
    joined = _joined(entry, other)
    for each, sign in ((entry, -1), (other, -1), (joined, 1)):
        _book(profile, each.at, each.currency, contribution(each), sign, base)
    profile.orders[order] = joined


def _joined(one: Entry, other: Entry) -> Entry:
    """What the changes of both entries make of one, whatever their order: see `_UPDATES`."""
    placed = [entry for entry in (one, other) if entry.placed]
    newest = max(one, other, key=lambda entry: (entry.updated, entry.total))
    first = min(placed or (one, other), key=lambda entry: (entry.at, entry.currency))
    return Entry(
        at=first.at,
        total=newest.total,
        pieces=max(one.pieces, other.pieces),
        discount=max(one.discount, other.discount),
        currency=first.currency,
        refunded=one.refunded + other.refunded,
        placed=bool(placed),
        cancelled=one.cancelled or other.cancelled,
        returned=one.returned or other.returned,
        updated=newest.updated,
    )


def _book(profile: Profile, at: int, currency: str, what: Contribution, sign: int, base: str) -> None:
    if what == _NOTHING:
        return
    net = sign * (what.paid - what.returned)
    profile.orders_total += sign * what.orders
    profile.money[currency] = profile.money.get(currency, 0) + net
    counters = profile.counters
    windows.add(counters, at, Behaviour.ORDER, sign * what.orders)
    windows.add(counters, at, windows.PIECES, sign * what.pieces)
    if currency == base:
        profile.paid += sign * what.paid
        profile.returned += sign * what.returned
        windows.add(counters, at, windows.SPEND, net)
        windows.add(counters, at, windows.DISCOUNT, sign * what.discount)


def _place(entry: Entry, event: Event) -> None:
    # A pixel and a webhook report one order: the earlier time and the fuller figures stand, whichever came first.
    entry.at = min(entry.at, event.at) if entry.placed else event.at
    entry.currency = event.currency
    if not entry.updated:
        entry.total = max(entry.total, event.amount or 0)
    entry.pieces = max(entry.pieces, sum(line.quantity for line in event.lines))
    entry.discount = max(entry.discount, event.discount)
    entry.placed = True


def _update(entry: Entry, event: Event) -> None:
    if event.amount is not None and event.at >= entry.updated:
        entry.updated, entry.total = event.at, event.amount


def _cancel(entry: Entry, event: Event) -> None:
    if event.amount is None:
        entry.cancelled = True
    else:
        _refund(entry, event)


def _refund(entry: Entry, event: Event) -> None:
    if event.amount is None:
        entry.returned = True
    else:
        entry.refunded += event.amount


_UPDATES = {
    Behaviour.ORDER: _place,
    Behaviour.ORDER_UPDATE: _update,
    Behaviour.CANCEL: _cancel,
    Behaviour.REFUND: _refund,
}
