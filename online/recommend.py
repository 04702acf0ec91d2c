"""Recommendations for one customer: what she buys again, what goes with what she looks at, and what is popular."""

import math
from collections import Counter
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import Final

from online.index import SAME_PURCHASE_MS, WEIGHTS, Bought, ItemIndex
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Ranked, Snapshot

SEEDS: Final = 10
FADE: Final = 0.7
PER_SOURCE: Final = 30
# How much the best of each source is worth, and what a repetition of source and category costs.
BUY_AGAIN: Final = 0.9
TOGETHER: Final = 0.8
TRENDING: Final = 0.4
AGAIN_SOURCE: Final = 0.97
AGAIN_CATEGORY: Final = 0.95
# Part of the usual gap after which an item is due, and after which it must be supposed given up.
DUE: Final = 0.7
GIVEN_UP: Final = 3.0

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


def recommend(snapshot: Snapshot, index: ItemIndex, k: int = 10) -> list[Ranked]:
    """At most `k` items, best first, from sources as diverse as their scores allow.

    What is in the cart or owned is left out unless it is due to be bought again; with nothing else known the popular
    items are shown, and the list is empty only when the index knows no item that may be shown.
    """
    again = buy_again(snapshot, index)
    barred = set(snapshot.cart) | set(snapshot.owned) | index.bought(snapshot.customer).keys()
    allowed = [c for c in together(snapshot, index) + trending(index) if c.item not in barred]
    ranked = blend(again + allowed, index, k)
    if not ranked:
        # All that is popular is hers already: look at everything.
        allowed = [c for c in trending(index, len(index)) if c.item not in barred]
        ranked = blend(allowed, index, k)
    return ranked


def buy_again(snapshot: Snapshot, index: ItemIndex) -> list[Candidate]:
    """Items that she buys regularly and whose usual time has come, those nearest to it first."""
    found = []
    bought = index.bought(snapshot.customer) | _told_purchases(snapshot, index)
    for item, known in bought.items():
        gap = known.gap_ms
        if gap is None or item in snapshot.cart:
            continue
        part = (snapshot.at - known.last) / gap
        if DUE <= part <= GIVEN_UP:
            fit = math.exp(-(math.log(part) ** 2))
            days = max(1, round(gap / DAY_MS))
            words = f"you buy this about every {days} days" if days > 1 else "you buy this about every day"
            found.append(Candidate(item, BUY_AGAIN * fit, "buy_again", words))
    return sorted(found, key=_order)[:PER_SOURCE]


def together(snapshot: Snapshot, index: ItemIndex) -> list[Candidate]:
    """Items that others chose together with what she did last, the newest and strongest behaviour counting most."""
    scores: dict[str, float] = {}
    because: dict[str, tuple[float, str, int]] = {}
    for seed, behaviour, weight in _seeds(snapshot):
        for item, similarity in index.neighbours(seed):
            share = weight * similarity
            scores[item] = scores.get(item, 0.0) + share
            if share > because.get(item, (0.0, "", 0))[0]:
                because[item] = (share, seed, behaviour)
    best = max(scores.values(), default=0.0)
    if best <= 0.0:
        return []
    top = sorted(((score, item) for item, score in scores.items() if item in because), reverse=True)[: 3 * PER_SOURCE]
    return [Candidate(item, TOGETHER * score / best, "together", _because(*because[item][1:])) for score, item in top]


def trending(index: ItemIndex, n: int = 200) -> list[Candidate]:
    """The most popular items now."""
    return [Candidate(item, TRENDING * share, "trending", "popular this week") for item, share in index.trending(n)]


def blend(candidates: list[Candidate], index: ItemIndex, k: int) -> list[Ranked]:
    """The best `k`, each item once, one by one: a source or category already in the list counts a little less."""
    best: dict[str, Candidate] = {}
    per_source: Counter[str] = Counter()
    for c in sorted(candidates, key=_order):
        if c.item not in best and per_source[c.source] < PER_SOURCE:
            best[c.item] = c
            per_source[c.source] += 1
    # Penalties only grow, so a candidate's last known score bounds its present one: take the highest, and put it
    # back with its present score unless it is still that.
    heap = [(-c.score, c.item) for c in best.values()]
    heapify(heap)
    sources: Counter[str] = Counter()
    categories: Counter[str] = Counter()
    ranked: list[Ranked] = []
    while heap and len(ranked) < k:
        bound, item = heap[0]
        c, category = best[item], index.category(item)
        score = c.score * AGAIN_SOURCE ** sources[c.source]
        if category:
            score *= AGAIN_CATEGORY ** categories[category]
        if score < -bound:
            heapreplace(heap, (-score, item))
            continue
        heappop(heap)
        sources[c.source] += 1
        categories[category] += 1
        ranked.append(Ranked(item=item, score=round(score, 6), source=c.source, words=c.words))
    return ranked


def _seeds(snapshot: Snapshot) -> list[tuple[str, int, float]]:
    """(item, behaviour, weight) of what she did last, each item once, the newest first, then the rest of the cart."""
    seeds: dict[str, tuple[int, float]] = {}
    for moment in reversed(snapshot.story):
        if len(seeds) >= SEEDS:
            break
        weight = WEIGHTS.get(moment.behaviour)
        if weight is not None and moment.item and moment.item not in seeds:
            seeds[moment.item] = (moment.behaviour, weight * FADE ** len(seeds))
    for item in snapshot.cart[-SEEDS:]:
        seeds.setdefault(item, (Behaviour.CART_ADD, WEIGHTS[Behaviour.CART_ADD] * FADE ** len(seeds)))
    return [(item, behaviour, weight) for item, (behaviour, weight) in seeds.items()]


def _told_purchases(snapshot: Snapshot, index: ItemIndex) -> dict[str, Bought]:
    """Purchases that the story tells of better than the index, which may have forgotten or not yet seen them."""
    told: dict[str, Bought] = {}
    for moment in snapshot.story:
        if moment.behaviour != Behaviour.ORDER or not moment.item:
            continue
        known = told.get(moment.item)
        if known is None:
            told[moment.item] = Bought(moment.at, moment.at, 1)
        elif moment.at > known.last + SAME_PURCHASE_MS:
            told[moment.item] = Bought(known.first, moment.at, known.count + 1)
    kept = index.bought(snapshot.customer)
    return {item: b for item, b in told.items() if item not in kept or b.count > kept[item].count}


def _because(seed: str, behaviour: int) -> str:
    return _PHRASES.get(behaviour, "often chosen together with {}").format(seed)


def _order(candidate: Candidate) -> tuple[float, str]:
    return -candidate.score, candidate.item
