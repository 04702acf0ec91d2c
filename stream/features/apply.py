"""One event into one profile. Every update commutes: any order of the same events gives the same profile."""

from bisect import insort
from collections.abc import Iterable

from schemas.behaviours import Behaviour
from schemas.event import Event
from schemas.features import DAY_MS, HOUR_MS
from stream.features import derive, ledger, windows
from stream.features.kept import CartOp, Moment, Sentiment
from stream.features.profile import CART, OWNED, REVIEWS, SEEN, SEEN_DAYS, STORY, Profile

ORDER_CHANGES = frozenset({Behaviour.ORDER, Behaviour.ORDER_UPDATE, Behaviour.CANCEL, Behaviour.REFUND})
# By name here: looking one up in its class takes as long as counting the behaviour.
_VIEW, _SEARCH, _CHECKOUT, _REVIEW, _ORDER = (
    Behaviour.VIEW, Behaviour.SEARCH, Behaviour.CHECKOUT, Behaviour.REVIEW, Behaviour.ORDER
)  # fmt: skip
_ADD, _REMOVE = Behaviour.CART_ADD, Behaviour.CART_REMOVE
_SCORED = Behaviour.REVIEW_SCORED
_NO_STORY = frozenset({Behaviour.PAGE, Behaviour.OTHER, Behaviour.IDENTIFY, Behaviour.LIST_VIEW})
_QUARTER_MS = 6 * HOUR_MS
_DAYS_TO_MONDAY = 3  # 1970-01-01 was a Thursday
_PHONES = frozenset({"mobile", "phone", "ios", "android"})
_WORDS = 160
_CROWDED = 32  # counters up to which folding the old ones saves nothing
# One number for a day, not one for each message of it: a quarter of what the messages take, and a flush reads them all.
_days: dict[int, int] = {}
SHORT = 0xFFFFFFFF  # enough of a message to tell behaviours of one millisecond apart


def apply(profile: Profile, event: Event, base: str) -> bool:
    """Add the event to the profile; False when it was there already (same message, or an order that was known)."""
    behaviour = event.behaviour
    if behaviour is _SCORED:
        return _hear(profile, event)
    at = event.at
    newest = at > profile.last
    if newest:
        profile.last = at
    elif at < profile.first:
        profile.first = at
    if not profile.first:
        profile.first = at
    if not remember(profile, event.message):
        return False
    if behaviour in ORDER_CHANGES:
        return _change_order(profile, event, base, newest)
    profile.events += 1
    _habit(profile.habits, at, 1)
    windows.add(profile.counters, at, behaviour)
    _browse(profile, event, behaviour, newest)
    return True


def remember(profile: Profile, message: int) -> bool:
    """Note a message; False when it is known. Her newest `SEEN` are, of `SEEN_DAYS` before her newest behaviour."""
    seen = profile.seen
    if message in seen:
        return False
    day = profile.last // DAY_MS
    seen[message] = _days.setdefault(day, day)
    if len(seen) > SEEN:
        del seen[next(iter(seen))]
    return True


def prune(profile: Profile, clock: int) -> None:
    """Drop what nothing at or after `clock` can need: old buckets and messages, cart changes that an order settled."""
    if len(profile.counters) > _CROWDED:
        windows.prune(profile.counters, clock)
    forgotten = profile.last // DAY_MS - SEEN_DAYS
    seen = profile.seen
    while seen and seen[first := next(iter(seen))] < forgotten:
        del seen[first]
    settled = profile.settled
    if profile.cart and profile.cart[0].at <= settled:
        profile.cart = [op for op in profile.cart if op.at > settled]


def take_back(profile: Profile, at: int) -> None:
    """One behaviour at `at` was counted twice: an order that two profiles knew, which became one."""
    profile.events -= 1
    _habit(profile.habits, at, -1)


def _browse(profile: Profile, event: Event, behaviour: Behaviour, newest: bool) -> None:
    at = event.at
    profile.browsed += 1
    if event.device in _PHONES:
        profile.mobile += 1
    if event.channel:
        profile.campaign += 1
    if behaviour in _NO_STORY:
        return
    _remember(profile.story, _moment(event), newest)
    if behaviour is _VIEW:
        if at > profile.viewed:
            profile.viewed = at
    elif behaviour is _SEARCH:
        if at > profile.searched:
            profile.searched = at
    elif behaviour is _ADD:
        _change_cart(profile, event, 1, newest)
        if at > profile.added:
            profile.added = at
    elif behaviour is _REMOVE:
        _change_cart(profile, event, -1, newest)
    elif behaviour is _CHECKOUT:
        if at > profile.checked_out:
            profile.checked_out = at
    elif behaviour is _REVIEW:
        _review(profile, event)


def _change_order(profile: Profile, event: Event, base: str, newest: bool) -> bool:
    known = profile.orders.get(event.order)
    placed = known.at if known is not None and known.placed else 0
    ledger.change(profile, event, base)
    profile.overdue = derive.overdue_at(profile)
    if event.behaviour == Behaviour.ORDER:
        _own(profile, event)
        profile.settled = max(profile.settled, event.at)
        if placed:
            _reconcile(profile, event, placed)
            return False
    else:
        # An order's own counter belongs to the ledger, which may have to take it back.
        windows.add(profile.counters, event.at, event.behaviour)
    profile.events += 1
    _habit(profile.habits, event.at, 1)
    _remember(profile.story, _moment(event), newest)
    return True


def _habit(habits: list[int], at: int, sign: int) -> None:
    quarter = at // _QUARTER_MS
    habits[quarter % 4] += sign
    habits[4 + (quarter // 4 + _DAYS_TO_MONDAY) % 7] += sign


def _reconcile(profile: Profile, event: Event, placed: int) -> None:
    """A second report of an order: the earlier time stands, and of the two moments the lesser one."""
    if event.at < placed:
        _habit(profile.habits, placed, -1)
        _habit(profile.habits, event.at, 1)
    moment = _moment(event)
    for index, known in enumerate(profile.story):
        if known.behaviour == Behaviour.ORDER and known.message == moment.message:
            if moment < known:
                del profile.story[index]
                _remember(profile.story, moment, newest=False)
            return


def _remember(story: list[Moment], moment: Moment, newest: bool) -> None:
    """Into its place; where it is the newest the others are not looked at: that would wait for memory."""
    if newest:
        story.append(moment)
    elif len(story) == STORY and moment < story[0]:
        return
    else:
        insort(story, moment)
    if len(story) > STORY:
        del story[0]


def _moment(event: Event) -> Moment:
    behaviour, lines, amount = event.behaviour, event.lines, event.amount
    # One order is one moment, whatever messages report it.
    message = (event.order if behaviour is _ORDER else event.message) & SHORT
    number = int(behaviour)
    if not lines:
        return Moment(event.at, message, number, "", "", "", amount or 0, 0, event.text[:_WORDS])
    if len(lines) == 1 and behaviour is not _ORDER:
        (line,) = lines
        pieces = line.quantity
        if amount is None:
            amount = (line.price or 0) * pieces
        words = event.text[:_WORDS] or line.name
        return Moment(event.at, message, number, line.item, line.category, line.brand, amount, pieces, words)
    pieces = spent = 0
    for line in lines:
        pieces += line.quantity
        spent += (line.price or 0) * line.quantity
    category = _most_common([line.category for line in lines])
    brand = _most_common([line.brand for line in lines])
    if amount is None:
        amount = spent
    return Moment(event.at, message, number, lines[0].item, category, brand, amount, pieces, _words(event)[:_WORDS])


def _most_common(names: Iterable[str]) -> str:
    """Of the most frequent names the first in the alphabet; empty where none is set."""
    ranked = _ranked(names)
    return ranked[0] if ranked else ""


def _ranked(names: Iterable[str]) -> list[str]:
    """The names that are set: the most frequent first, of equals the first in the alphabet."""
    counts: dict[str, int] = {}
    for name in names:
        if name:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name)) if len(counts) > 1 else list(counts)


def _words(event: Event) -> str:
    if event.text or event.behaviour != _ORDER:
        return event.text
    # The three categories with most lines say what kind of basket this was.
    return ", ".join(_ranked([line.category or line.name for line in event.lines])[:3])


def _change_cart(profile: Profile, event: Event, sign: int, newest: bool) -> None:
    line = event.lines[0]
    change = CartOp(event.at, event.message & SHORT, line.item, sign * line.quantity, line.price or 0)
    if newest:
        profile.cart.append(change)
    else:
        insort(profile.cart, change)
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


def _hear(profile: Profile, event: Event) -> bool:
    """What a review says is known of it, and nothing else: it is no behaviour of hers, whenever it is found out."""
    known = profile.sentiments
    profile.sentiments = newest_read([*known, Sentiment(event.at, event.message, event.rating)])
    return profile.sentiments != known


def newest_read(sentiments: Iterable[Sentiment]) -> list[Sentiment]:
    """The newest `REVIEWS`, oldest first; read again after a crash a review may differ a little: the highest stands."""
    found = {(one.at, one.message): one for one in sorted(sentiments)}
    return list(found.values())[-REVIEWS:]
