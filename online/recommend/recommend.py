"""Recommendations for one customer: several sources, by their learned worth, as diverse as their scores allow."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from heapq import heapify, heappop, heapreplace
from typing import Final, NamedTuple

from online.index import ItemIndex
from online.recommend.bandit import context, lead
from online.recommend.candidates import PER_SOURCE, Candidate, buy_again, order, seeds, similar, together, trending
from schemas.outputs import Ranked, Snapshot

# What a repetition of source and category costs.
AGAIN_SOURCE: Final = 0.97
AGAIN_CATEGORY: Final = 0.95


class Shown(NamedTuple):
    """A list of recommendations; `lead` is the source of its first item, and `propensity` how likely that was."""

    items: list[Ranked]
    lead: str
    propensity: float


def recommend(snapshot: Snapshot, index: ItemIndex, k: int = 10) -> list[Ranked]:
    """At most `k` items, best first, without exploring (see `show`)."""
    return show(snapshot, index, k).items


def show(snapshot: Snapshot, index: ItemIndex, k: int = 10, explore: float = 0.0) -> Shown:
    """At most `k` items, best first; a share `explore` of lists, by the snapshot's id, is led by a source drawn by lot.

    What is in the cart or owned is left out unless it is due to be bought again; with nothing else known the popular
    items are shown, and the list is empty only when the index knows no item that may be shown.
    """
    bought = index.bought(snapshot.customer)
    barred = set(snapshot.cart) | set(snapshot.owned) | bought.keys()
    beside = [c for c in together(snapshot, index) + similar(snapshot, index) if c.item not in barred]
    worth = index.bandit.worth(context(seeds(snapshot), snapshot.cart, bought))
    pool = gather(buy_again(snapshot, index) + beside + trending(index, barred), worth)
    if not pool:
        # All that is popular is hers already: look at everything.
        pool = gather(trending(index, barred, among=len(index)), worth)
    if not pool:
        return Shown([], "", 1.0)
    top = min(pool.values(), key=order)
    led = lead({c.source for c in pool.values()}, top.source, explore, snapshot.id)
    if led.source != top.source:
        first = min((c for c in pool.values() if c.source == led.source), key=order)
        pool[first.item] = replace(first, score=math.nextafter(top.score, math.inf))
    return Shown(spread(pool, index, k), led.source, led.propensity)


def gather(candidates: list[Candidate], worth: Mapping[str, float]) -> dict[str, Candidate]:
    """The best of each source by item, each item once, its score by its source's worth."""
    best: dict[str, Candidate] = {}
    per_source: Counter[str] = Counter()
    for c in sorted((Candidate(c.item, worth[c.source] * c.score, c.source, c.words) for c in candidates), key=order):
        if c.item not in best and per_source[c.source] < PER_SOURCE:
            best[c.item] = c
            per_source[c.source] += 1
    return best


def spread(best: Mapping[str, Candidate], index: ItemIndex, k: int) -> list[Ranked]:
    """The best `k`, one by one: a source or category already in the list counts a little less."""
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
