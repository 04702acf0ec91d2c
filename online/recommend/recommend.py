"""Recommendations for one customer: several sources, blended, as diverse as their scores allow."""

from collections import Counter
from heapq import heapify, heappop, heapreplace
from typing import Final

from online.index import ItemIndex
from online.recommend.candidates import PER_SOURCE, Candidate, buy_again, order, similar, together, trending
from schemas.outputs import Ranked, Snapshot

# How much the best of each source is worth, and what a repetition of source and category costs.
WORTH: Final = {"buy_again": 0.9, "together": 0.8, "similar": 0.5, "trending": 0.4}
AGAIN_SOURCE: Final = 0.97
AGAIN_CATEGORY: Final = 0.95


def recommend(snapshot: Snapshot, index: ItemIndex, k: int = 10) -> list[Ranked]:
    """At most `k` items, best first.

    What is in the cart or owned is left out unless it is due to be bought again; with nothing else known the popular
    items are shown, and the list is empty only when the index knows no item that may be shown.
    """
    again = buy_again(snapshot, index)
    barred = set(snapshot.cart) | set(snapshot.owned) | index.bought(snapshot.customer).keys()
    proposed = [c for c in together(snapshot, index) + similar(snapshot, index) if c.item not in barred]
    ranked = blend(again + proposed + trending(index, barred), index, k)
    if not ranked:
        # All that is popular is hers already: look at everything.
        ranked = blend(trending(index, barred, among=len(index)), index, k)
    return ranked


def blend(candidates: list[Candidate], index: ItemIndex, k: int) -> list[Ranked]:
    """The best `k`, each item once, one by one: a source or category already in the list counts a little less."""
    best: dict[str, Candidate] = {}
    per_source: Counter[str] = Counter()
    weighed = [Candidate(c.item, WORTH[c.source] * c.score, c.source, c.words) for c in candidates]
    for c in sorted(weighed, key=order):
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
