"""What is derived from a profile's newest-K lists: the latest session, the cart, the gaps between orders."""

import itertools
from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from stream.features.kept import CartOp, Moment
from stream.features.profile import Profile

OVERDUE = 1.5


class Cart(NamedTuple):
    """What lies in the cart: pieces per item, value in minor units, and when it was last changed."""

    items: dict[str, int]
    value: int
    changed: int


def session(story: Sequence[Moment], gap_ms: int) -> Sequence[Moment]:
    """The latest session: the newest behaviours with no silence of `gap_ms` or more between neighbours.

    ::

        gap = 30 min    10:00 view · 10:05 view ·           · 11:00 view · 11:02 cart
                                                  55 min ^    `---- the session ----'
    """
    start = len(story) - 1
    while start > 0 and story[start].at - story[start - 1].at < gap_ms:
        start -= 1
    return story[max(start, 0) :]


def session_start(story: Sequence[Moment], at: int, gap_ms: int) -> int:
    """When the session began that holds the time `at`: its id, together with the customer."""
    start = at
    for moment in reversed(story):
        if moment.at > at:
            continue
        if start - moment.at >= gap_ms:
            break
        start = moment.at
    return start


def cart(profile: Profile) -> Cart:
    """The cart: its changes since an order last emptied it, in event order, never below zero pieces."""
    settled = profile.settled
    items: dict[str, int] = {}
    prices: dict[str, int] = {}
    changed = 0
    op: CartOp
    for op in profile.cart:
        if op.at <= settled:
            continue
        items[op.item] = max(0, items.get(op.item, 0) + op.pieces)
        if op.price:
            prices[op.item] = op.price
        changed = op.at
    held = {item: pieces for item, pieces in items.items() if pieces}
    return Cart(held, sum(pieces * prices.get(item, 0) for item, pieces in held.items()), changed)


def order_times(profile: Profile) -> list[int]:
    """When the known orders that still stand were placed, oldest first."""
    return sorted(entry.at for entry in profile.orders.values() if entry.placed and not entry.cancelled)


def gaps(times: Sequence[int]) -> tuple[float, float] | None:
    """Mean and (population) standard deviation of the gaps between orders, in ms; None below two orders."""
    if len(times) < 2:
        return None
    between = [later - earlier for earlier, later in itertools.pairwise(times)]
    mean = sum(between) / len(between)
    return mean, sqrt(sum((gap - mean) ** 2 for gap in between) / len(between))


def overdue_at(profile: Profile) -> int:
    """When the next order is overdue: half as long again as her usual gap has passed; 0 below three known orders."""
    # Mostly she has no three, and this is asked at every order.
    times = order_times(profile) if len(profile.orders) > 2 else []
    usual = gaps(times) if len(times) > 2 else None
    return times[-1] + int(OVERDUE * usual[0]) if usual else 0


def favourite(names: Sequence[str]) -> float | None:
    """The share of the most frequent name among those that are set; None where none is."""
    counts: dict[str, int] = {}
    for name in names:
        if name:
            counts[name] = counts.get(name, 0) + 1
    return max(counts.values()) / sum(counts.values()) if counts else None
