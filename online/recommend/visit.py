"""Who is asked for: what is known of a customer at a time, in the one form that all sources look at."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from online.recommend.shoppers import Bought, Shopper
from schemas.behaviours import Behaviour
from schemas.outputs import Moment, Snapshot

SEEDS: Final = 10
# What a search was meant to find is among so many items chosen next, within this time.
FOLLOWING: Final = 5
SEARCH_MS: Final = 30 * 60_000

_SEEDING: Final = {Behaviour.CLICK, Behaviour.VIEW, Behaviour.WISHLIST, Behaviour.CART_ADD, Behaviour.ORDER}


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer as of `at` (epoch ms).

    `session` is what she did last, oldest first, each item with the behaviour; `bought` her purchases with their times,
    `owned` what she has besides; `orders` how many she placed; `query` what she searched for and may not have found.
    """

    at: int
    session: dict[str, int]
    cart: Collection[str]
    bought: Mapping[str, Bought]
    owned: Collection[str] = ()
    orders: int = 0
    query: str = ""

    @property
    def last(self) -> str:
        """The item she did something with last; empty where there is none."""
        return next(iter(reversed(self.session)), "")

    def barred(self) -> set[str]:
        """What she has, or has chosen already."""
        return {*self.cart, *self.owned, *self.bought}


def of_shopper(shopper: Shopper, at: int) -> Visit:
    """Of what the index itself remembers."""
    newest = ((item, int(Behaviour.VIEW)) for item in reversed(shopper.items))
    return Visit(
        at, _seeds(newest, shopper.cart), shopper.cart, shopper.bought, orders=shopper.orders, query=asked(shopper)
    )


def of_snapshot(snapshot: Snapshot, shopper: Shopper | None) -> Visit:
    """Of a snapshot, and of what the index remembers of purchases."""
    known = shopper.bought if shopper is not None else {}
    bought = known | _told_purchases(snapshot.story, known)
    return Visit(
        at=snapshot.at,
        session=_seeds(_newest(snapshot.story), snapshot.cart),
        cart=snapshot.cart,
        bought=bought,
        owned=snapshot.owned,
        orders=shopper.orders if shopper else max((one.count for one in bought.values()), default=0),
        query=_query(snapshot),
    )


def asked(shopper: Shopper) -> str:
    """What she searched for in her session, unless she has chosen enough since."""
    return shopper.query if shopper.followed < FOLLOWING else ""


def _newest(story: list[Moment]) -> Iterable[tuple[str, int]]:
    return ((m.item, int(m.behaviour)) for m in reversed(story) if m.behaviour in _SEEDING and m.item)


def _seeds(newest: Iterable[tuple[str, int]], cart: Collection[str]) -> dict[str, int]:
    """The items of these newest behaviours, and before them what lies in the cart; oldest first."""
    found: dict[str, int] = {}
    for item, behaviour in newest:
        if len(found) >= SEEDS:
            break
        found.setdefault(item, behaviour)
    for item in list(cart)[: -SEEDS - 1 : -1]:
        found.setdefault(item, Behaviour.CART_ADD)
    return dict(reversed(found.items()))


def _query(snapshot: Snapshot) -> str:
    left = FOLLOWING
    for moment in reversed(snapshot.story):
        if moment.behaviour == Behaviour.SEARCH:
            return moment.words if snapshot.at - moment.at <= SEARCH_MS else ""
        left -= moment.behaviour in _SEEDING
        if not left:
            break
    return ""


def _told_purchases(story: list[Moment], kept: Mapping[str, Bought]) -> dict[str, Bought]:
    """Purchases that the story tells of better than the index, which may have forgotten or not yet seen them."""
    told: dict[str, Bought] = {}
    for moment in story:
        if moment.behaviour != Behaviour.ORDER or not moment.item:
            continue
        if moment.item in told:
            told[moment.item].again(moment.at)
        else:
            told[moment.item] = Bought(moment.at, moment.at, 1)
    return {item: b for item, b in told.items() if item not in kept or b.count > kept[item].count}
