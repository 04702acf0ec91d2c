"""Two profiles made one: what they would be had all their events come to one of them.

For any split of a set of events in two, merging the two profiles gives that of the set, in state and in every feature,
up to what newest-K lists have dropped by then: sums add, extremes compare, lists are united and cut. An order that both
know (a pixel reported it before the login, a webhook with the user's id) is one order: what it added to either is
taken back and booked anew, as a second report in one profile would be.
What is not seen: a message that came to both (one messageId, once anonymous and once with the user's id) counts twice,
unless it reports an order; an order that one of the ledgers has forgotten is two.
"""

from schemas.behaviours import Behaviour
from stream.features import derive, ledger
from stream.features.apply import newest_read, take_back
from stream.features.kept import Moment
from stream.features.profile import CART, OWNED, SEEN, STORY, Profile


def merge(profile: Profile, other: Profile, base: str) -> None:
    """Add to `profile` all that `other` holds; money in another currency than `base` is kept apart.

    Whose it is (customer, ids, known), which records it has applied, and `touched` stay the profile's own.
    """
    profile.first = min(profile.first or other.first, other.first or profile.first)
    profile.last = max(profile.last, other.last)
    _add(profile, other)
    _merge_orders(profile, other, base)
    profile.story = _stories(profile.story, other.story)
    profile.cart = sorted({*profile.cart, *other.cart})[-CART:]
    profile.owned = _newest(profile.owned, other.owned)
    profile.viewed = max(profile.viewed, other.viewed)
    profile.searched = max(profile.searched, other.searched)
    profile.added = max(profile.added, other.added)
    profile.checked_out = max(profile.checked_out, other.checked_out)
    profile.rating = max(profile.rating, other.rating)
    profile.sentiments = newest_read([*profile.sentiments, *other.sentiments])
    profile.seen = _seen(profile.seen, other.seen)
    profile.settled = max(profile.settled, other.settled)
    # Neither is scored sooner, nor told of a silence again, because the other was.
    profile.scored = max(profile.scored, other.scored)
    profile.fired = max(profile.fired, other.fired)


def _add(profile: Profile, other: Profile) -> None:
    profile.events += other.events
    profile.orders_total += other.orders_total
    profile.paid += other.paid
    profile.returned += other.returned
    profile.browsed += other.browsed
    profile.mobile += other.mobile
    profile.campaign += other.campaign
    profile.reviews += other.reviews
    profile.ratings += other.ratings
    profile.habits = [a + b for a, b in zip(profile.habits, other.habits, strict=True)]
    for currency, net in other.money.items():
        profile.money[currency] = profile.money.get(currency, 0) + net
    counters = profile.counters
    for key, amount in other.counters.items():
        total = counters.get(key, 0) + amount
        if total:
            counters[key] = total
        else:
            del counters[key]


def _merge_orders(profile: Profile, other: Profile, base: str) -> None:
    for order, entry in other.orders.items():
        known = profile.orders.get(order)
        if known is not None and known.placed and entry.placed:
            # Both counted a behaviour; the earlier report's is the one that stands.
            take_back(profile, max(known.at, entry.at))
        ledger.join(profile, order, entry, base)
    ledger.cut(profile)
    profile.overdue = derive.overdue_at(profile)


def _stories(one: list[Moment], other: list[Moment]) -> list[Moment]:
    """The newest moments of both; of an order's two the lesser."""
    found: dict[tuple[bool, int], Moment] = {}
    for moment in (*one, *other):
        key = (moment.behaviour == Behaviour.ORDER, moment.message)
        found[key] = min(moment, found.get(key, moment))
    return sorted(found.values())[-STORY:]


def _newest(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    found = dict(one)
    for item, at in other.items():
        found[item] = max(at, found.get(item, 0))
    return dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0]))[-OWNED:])


def _seen(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    """The newest messages of both by the day, of a day the first profile's last."""
    both = sorted((other | one).items(), key=lambda pair: pair[1])
    return dict(both[-SEEN:])
