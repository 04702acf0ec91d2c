"""Recommendations for one customer: several sources, by their learned worth, as diverse as their scores allow."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from heapq import heapify, heappop, heapreplace
from typing import Final, NamedTuple

from online.index import ItemIndex
from online.recommend.bandit import context, lead
from online.recommend.candidates import PER_SOURCE, Candidate, anything, candidates, order
from online.recommend.visit import Visit, of_snapshot
from schemas.behaviours import Behaviour
from schemas.outputs import Interaction, Ranked, Shown, Snapshot

# What a repetition of source and category costs.
AGAIN_SOURCE: Final = 0.97
AGAIN_CATEGORY: Final = 0.95


class Chosen(NamedTuple):
    """A list of recommendations; `lead` is the source of its first item, and `propensity` how likely that was.

    `who` is what the ranking of sources knew of the customer.
    """

    items: list[Ranked]
    lead: str
    propensity: float
    who: list[float]

    def told(self, decision_id: str, customer: str, at: int) -> Interaction:
        """What `interactions` tell of this list: that it was shown to the customer at `at`."""
        shown = Shown(
            decision_id=decision_id,
            items=[ranked.item for ranked in self.items],
            sources=[ranked.source for ranked in self.items],
            lead=self.lead,
            propensity=self.propensity,
            who=self.who,
        )
        return Interaction(customer=customer, session=0, item="", behaviour=Behaviour.OTHER, at=at, shown=shown)


def recommend(snapshot: Snapshot, index: ItemIndex, k: int = 10) -> list[Ranked]:
    """At most `k` items, best first, without exploring (see `show`)."""
    return show(snapshot, index, k).items


def show(snapshot: Snapshot, index: ItemIndex, k: int = 10, explore: float = 0.0) -> Chosen:
    """The list for a snapshot's customer (see `answer`), whose id is the snapshot's."""
    return answer(of_snapshot(snapshot, index.shoppers.find(snapshot.customer)), index, snapshot.id, k, explore)


def answer(visit: Visit, index: ItemIndex, list_id: str, k: int = 10, explore: float = 0.0) -> Chosen:
    """At most `k` items, best first; a share `explore` of lists, by their ids, is led by a source drawn by lot.

    What is in the cart or owned is left out unless it is due to be bought again, and what is sold out is left out; with
    nothing else known the popular items are shown, and the list is empty only when the index knows no item that may be
    shown.
    """
    who = context(visit)
    pool = gather(proposed(visit, index), index.bandit.worth(who))
    return choose(pool, index, who.tolist(), list_id, k, explore)


def proposed(visit: Visit, index: ItemIndex) -> list[Candidate]:
    """What may be shown to her: what the sources propose, or else anything."""
    return candidates(visit, index) or anything(visit, index)


def choose(
    pool: dict[str, Candidate], index: ItemIndex, who: list[float], list_id: str, k: int, explore: float
) -> Chosen:
    """The list of these candidates (see `gather`)."""
    if not pool:
        return Chosen([], "", 1.0, who)
    top = min(pool.values(), key=order)
    led = lead({c.source for c in pool.values()}, top.source, explore, list_id)
    if led.source != top.source:
        first = min((c for c in pool.values() if c.source == led.source), key=order)
        pool[first.item] = replace(first, score=math.nextafter(top.score, math.inf))
    return Chosen(spread(pool, index, k), led.source, led.propensity, who)


def gather(proposed: list[Candidate], worth: Mapping[str, float]) -> dict[str, Candidate]:
    """The best of each source by item, each item once, its score by its source's worth."""
    best: dict[str, Candidate] = {}
    per_source: Counter[str] = Counter()
    for c in sorted((Candidate(c.item, worth[c.source] * c.score, c.source, c.words) for c in proposed), key=order):
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
        c, category = best[item], index.shelf.find(item).category
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
