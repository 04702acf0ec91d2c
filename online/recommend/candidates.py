"""The sources of recommendations: each proposes items for one customer, how strongly (0 to 1), and says why."""

from collections.abc import Set
from dataclasses import dataclass
from itertools import islice
from typing import Final

from online.index import HOT, ItemIndex
from online.recommend.shoppers import Bought
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Snapshot

SEEDS: Final = 10
PER_SOURCE: Final = 30

_SEEDING: Final = {Behaviour.CLICK, Behaviour.VIEW, Behaviour.WISHLIST, Behaviour.CART_ADD, Behaviour.ORDER}
_PHRASES: Final[dict[int, str]] = {
    Behaviour.ORDER: "goes with {} that you bought",
    Behaviour.CART_ADD: "often chosen together with {} in your cart",
    Behaviour.WISHLIST: "goes with {} on your wish list",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that one source proposes, how strongly (0 to 1), and why."""

    item: str
    score: float
    source: str
    words: str


def buy_again(snapshot: Snapshot, index: ItemIndex) -> list[Candidate]:
    """Items that she buys regularly and whose usual time has come, those that her next order most likely has first."""
    found = []
    bought = index.bought(snapshot.customer) | _told_purchases(snapshot, index)
    likely = _likely(snapshot, index, bought)
    for item, known in bought.items():
        fit, gap = known.fit(snapshot.at), known.gap_ms
        if fit is None or gap is None or item in snapshot.cart:
            continue
        days = max(1, round(gap / DAY_MS))
        words = f"you buy this about every {days} days" if days > 1 else "you buy this about every day"
        found.append((likely[item], fit, item, words))
    if not found:
        return []
    # The likeliest counts as much as the one whose time fits best.
    most, best = max(found)[0] or 1.0, max(fit for _, fit, _, _ in found)
    again = [Candidate(item, best * share / most, "buy_again", words) for share, _, item, words in found]
    return sorted(again, key=order)[:PER_SOURCE]


def together(snapshot: Snapshot, index: ItemIndex) -> list[Candidate]:
    """What others chose next after what she did last; what she looks at now is not proposed."""
    seeding = seeds(snapshot)
    session = list(seeding)
    found = index.after(session, snapshot.at, PER_SOURCE + 1)
    # What is very old has faded to nothing, and says nothing about what goes with what.
    proposed = [(item, share) for item, share in found if item != session[-1] and share > 0.0][:PER_SOURCE]
    best = proposed[0][1] if proposed else 1.0
    reasons = index.reasons([item for item, _ in proposed], session)
    return [
        Candidate(
            item, share / best, "together", _PHRASES.get(seeding[why], "often chosen together with {}").format(why)
        )
        for (item, share), why in zip(proposed, reasons, strict=True)
    ]


def similar(snapshot: Snapshot, index: ItemIndex) -> list[Candidate]:
    """Items of the category she looked at last, the most popular first."""
    seeding = seeds(snapshot)
    last = next(iter(reversed(seeding)), "")
    category = index.category(last)
    if not category:
        return []
    found = [(item, share) for item, share in index.of_category(category, PER_SOURCE + 1) if item != last]
    words = f"popular in {category} now"
    return [Candidate(item, share, "similar", words) for item, share in found[:PER_SOURCE]]


def trending(index: ItemIndex, barred: Set[str], most: int = 2 * PER_SOURCE, among: int = HOT) -> list[Candidate]:
    """The `most` most popular items now that are not barred, of the first `among`."""
    allowed = ((item, share) for item, share in index.trending(among) if item not in barred)
    return [Candidate(item, share, "trending", "popular this week") for item, share in islice(allowed, most)]


def order(candidate: Candidate) -> tuple[float, str]:
    """The strongest first, equals by name."""
    return -candidate.score, candidate.item


def seeds(snapshot: Snapshot) -> dict[str, int]:
    """What she did last, oldest first, with the behaviour: the cart, then the story's newest items."""
    newest: dict[str, int] = {}
    for moment in reversed(snapshot.story):
        if len(newest) >= SEEDS:
            break
        if moment.behaviour in _SEEDING and moment.item:
            newest.setdefault(moment.item, moment.behaviour)
    for item in snapshot.cart[: -SEEDS - 1 : -1]:
        newest.setdefault(item, Behaviour.CART_ADD)
    return dict(reversed(newest.items()))


def _likely(snapshot: Snapshot, index: ItemIndex, bought: dict[str, Bought]) -> dict[str, float]:
    """How likely her next order has each of the items bought, relative to one another."""
    if not bought:
        return {}
    shopper = index.shoppers.find(snapshot.customer)
    orders = shopper.orders if shopper else max(b.count for b in bought.values())
    return index.baskets.compare(bought, orders, snapshot.at)


def _told_purchases(snapshot: Snapshot, index: ItemIndex) -> dict[str, Bought]:
    """Purchases that the story tells of better than the index, which may have forgotten or not yet seen them."""
    told: dict[str, Bought] = {}
    for moment in snapshot.story:
        if moment.behaviour != Behaviour.ORDER or not moment.item:
            continue
        if moment.item in told:
            told[moment.item].again(moment.at)
        else:
            told[moment.item] = Bought(moment.at, moment.at, 1)
    kept = index.bought(snapshot.customer)
    return {item: b for item, b in told.items() if item not in kept or b.count > kept[item].count}
