"""Candidates for one customer: what the sources propose, and why, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from online.index import ItemIndex
from online.recommend.popular import Shares
from online.recommend.visit import Visit
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS

PER_SOURCE: Final = 30

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


def candidates(visit: Visit, index: ItemIndex) -> list[Candidate]:
    """All that any source proposes."""
    found: list[Candidate] = []
    for source, shares in index.sources.all(visit, PER_SOURCE).items():
        found.extend(
            Candidate(item, score, source, words)
            for (item, score), words in zip(shares, _words(source, shares, visit, index), strict=True)
        )
    return found


def anything(visit: Visit, index: ItemIndex) -> list[Candidate]:
    """The most popular of all items that she may be shown: for when all that is popular is hers already."""
    found = index.sources.trending(visit.barred(), 2 * PER_SOURCE, len(index))
    words = _words("trending", found, visit, index)
    return [Candidate(item, score, "trending", why) for (item, score), why in zip(found, words, strict=True)]


def order(candidate: Candidate) -> tuple[float, str]:
    """The strongest first, equals by name."""
    return -candidate.score, candidate.item


def _words(source: str, shares: Shares, visit: Visit, index: ItemIndex) -> Sequence[str]:
    """Why each of these is proposed."""
    match source:
        case "buy_again":
            return [_every(visit.bought[item].gap_ms) for item, _ in shares]
        case "together":
            reasons = index.sequel.reasons([item for item, _ in shares], list(visit.session))
            return [_PHRASES.get(visit.session[why], "often chosen together with {}").format(why) for why in reasons]
        case "similar":
            return [_alike(item, visit.last, index) for item, _ in shares]
        case "searched":
            return ["chosen by others after a search like yours"] * len(shares)
        case _:
            return ["popular this week"] * len(shares)


def _every(gap_ms: float | None) -> str:
    days = max(1, round((gap_ms or 0.0) / DAY_MS))
    return f"you buy this about every {days} days" if days > 1 else "you buy this about every day"


def _alike(item: str, last: str, index: ItemIndex) -> str:
    good, liked = index.shelf.find(item), index.shelf.find(last)
    if good.category != liked.category or not good.category:
        return f"by {good.brand} as well"
    return f"popular in {good.category} now" if item in index else f"new in {good.category}"
