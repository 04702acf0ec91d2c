"""One event into one profile. Every update commutes: any order of the same events gives the same profile."""

from bisect import insort
from collections import Counter

from schemas.behaviours import Behaviour, Event, Line
from schemas.features import DAY_MS, HOUR_MS
from stream.features import ledger, windows
from stream.features.profile import CART, OWNED, SEEN, STORY, CartOp, Moment, Profile

ORDER_CHANGES = frozenset({Behaviour.ORDER, Behaviour.ORDER_UPDATE, Behaviour.CANCEL, Behaviour.REFUND})
_NO_STORY = frozenset({Behaviour.PAGE, Behaviour.OTHER, Behaviour.IDENTIFY, Behaviour.LIST_VIEW})
_DAYS_TO_MONDAY = 3  # 1970-01-01 was a Thursday
_PHONES = frozenset({"mobile", "phone", "ios", "android"})
_WORDS = 160


def apply(profile: Profile, event: Event, base: str) -> bool:
    """Add the event to the profile; False when it was there already (same message, or an order that was known)."""
    seen = profile.seen
    if event.message in seen:
        return False
    seen[event.message] = None
    if len(seen) > SEEN:
        del seen[next(iter(seen))]
    profile.first = min(profile.first or event.at, event.at)
    profile.last = max(profile.last, event.at)
    if event.behaviour in ORDER_CHANGES:
        known = profile.orders.get(event.order)
        placed = known.at if known is not None and known.placed else 0
        ledger.change(profile, event, base)
        if event.behaviour == Behaviour.ORDER:
            _own(profile, event)
            profile.settled = max(profile.settled, event.at)
            if placed:
                _reconcile(profile, event, placed)
                return False
    _count(profile, event)
    if event.behaviour not in _NO_STORY:
        _remember(profile, _moment(event))
    if event.behaviour in (Behaviour.CART_ADD, Behaviour.CART_REMOVE):
        _change_cart(profile, event)
    elif event.behaviour == Behaviour.REVIEW:
        _review(profile, event)
    return True


def prune(profile: Profile, clock: int) -> None:
    """Drop what no feature at or after `clock` can see: old buckets, and cart changes that an order has settled."""
    windows.prune(profile.counters, clock)
    settled = profile.settled
    if profile.cart and profile.cart[0].at <= settled:
        profile.cart = [op for op in profile.cart if op.at > settled]


def take_back(profile: Profile, at: int) -> None:
    """One behaviour at `at` was counted twice: an order that two profiles knew, which became one."""
    profile.events -= 1
    _habit(profile, at, -1)


def _count(profile: Profile, event: Event) -> None:
    at, behaviour = event.at, int(event.behaviour)
    profile.events += 1
    _habit(profile, at, 1)
    if behaviour in ORDER_CHANGES:
        # An order's own counter belongs to the ledger, which may have to take it back.
        if behaviour != Behaviour.ORDER:
            windows.add(profile.counters, at, behaviour)
        return
    windows.add(profile.counters, at, behaviour)
    if at > profile.latest.get(behaviour, 0):
        profile.latest[behaviour] = at
    profile.browsed += 1
    profile.mobile += event.device in _PHONES
    profile.campaign += bool(event.channel)


def _habit(profile: Profile, at: int, sign: int) -> None:
    profile.quarters[at // (6 * HOUR_MS) % 4] += sign
    profile.weekdays[(at // DAY_MS + _DAYS_TO_MONDAY) % 7] += sign


def _reconcile(profile: Profile, event: Event, placed: int) -> None:
    """A second report of an order: the earlier time stands, and of the two moments the lesser one."""
    if event.at < placed:
        _habit(profile, placed, -1)
        _habit(profile, event.at, 1)
    moment = _moment(event)
    for index, known in enumerate(profile.story):
        if known.behaviour == Behaviour.ORDER and known.message == moment.message:
            if moment < known:
                del profile.story[index]
                _remember(profile, moment)
            return


def _remember(profile: Profile, moment: Moment) -> None:
    story = profile.story
    if len(story) == STORY and moment < story[0]:
        return
    insort(story, moment)
    if len(story) > STORY:
        del story[0]


def _moment(event: Event) -> Moment:
    lines = event.lines
    first = lines[0] if lines else Line("")
    amount = event.amount if event.amount is not None else sum((line.price or 0) * line.quantity for line in lines)
    return Moment(
        at=event.at,
        # One order is one moment, whatever messages report it.
        message=event.order if event.behaviour == Behaviour.ORDER else event.message,
        behaviour=int(event.behaviour),
        item=first.item,
        category=_most_common([line.category for line in lines]),
        brand=_most_common([line.brand for line in lines]),
        amount=amount,
        pieces=sum(line.quantity for line in lines),
        words=_words(event)[:_WORDS],
    )


def _most_common(names: list[str]) -> str:
    named = [name for name in names if name]
    return max(sorted(Counter(named).items()), key=lambda pair: pair[1])[0] if named else ""


def _words(event: Event) -> str:
    if event.text:
        return event.text
    if event.behaviour == Behaviour.ORDER:
        # The three categories with most lines say what kind of basket this was.
        counts = Counter(line.category or line.name for line in event.lines)
        counts.pop("", None)
        return ", ".join(name for name, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:3])
    return event.lines[0].name if len(event.lines) == 1 else ""


def _change_cart(profile: Profile, event: Event) -> None:
    sign = 1 if event.behaviour == Behaviour.CART_ADD else -1
    line = event.lines[0]
    insort(profile.cart, CartOp(event.at, event.message, line.item, sign * line.quantity, line.price or 0))
    if len(profile.cart) > CART:
        del profile.cart[0]


def _own(profile: Profile, event: Event) -> None:
    owned = profile.owned
    for line in event.lines:
        owned[line.item] = max(owned.get(line.item, 0), event.at)
    if len(owned) > OWNED:
        newest = sorted(owned.items(), key=lambda pair: (pair[1], pair[0]))[-OWNED:]
        profile.owned = dict(newest)


def _review(profile: Profile, event: Event) -> None:
    profile.reviews += 1
    profile.ratings += event.rating
    profile.rating = max(profile.rating, (event.at, event.message, event.rating))
