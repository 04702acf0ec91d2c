"""Laws of the item index and its recommendations: bounded, exact at the top, a copy agrees, nothing barred is shown."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from online.index import HOT, Bounds, ItemIndex
from online.recommend import state
from online.recommend.recommend import recommend
from online.recommend.searches import PLACES
from online.recommend.shelf import Group
from online.recommend.sources import SOURCES
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Moment, Shown, Snapshot

SMALL = Bounds(items=8, companions=3, sessions=4, customers=3, bought=3, purchases=5, terms=4)
BEHAVIOURS = (Behaviour.VIEW, Behaviour.CART_ADD, Behaviour.ORDER, Behaviour.SEARCH, Behaviour.CANCEL)

items = st.integers(0, 14).map(lambda n: f"i{n}" if n else "")


@st.composite
def make_interaction(draw: st.DrawFn) -> Interaction:
    at = draw(st.integers(0, 3_000)) * DAY_MS
    behaviour = draw(st.sampled_from((*BEHAVIOURS, Behaviour.OTHER)))
    shown = None
    if behaviour == Behaviour.OTHER:
        listed = draw(st.lists(items.filter(bool), min_size=1, max_size=4, unique=True))
        sources = draw(st.lists(st.sampled_from(SOURCES), min_size=len(listed), max_size=len(listed)))
        shown = Shown(
            decision_id="d", items=listed, sources=sources, lead=sources[0], propensity=1.0,
            who=[1.0, *draw(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=4, max_size=4))],
        )  # fmt: skip
    return Interaction(
        customer=f"customer-{draw(st.integers(0, 4))}", session=draw(st.integers(0, 2)),
        item="" if behaviour in (Behaviour.OTHER, Behaviour.SEARCH) else draw(items), behaviour=behaviour, at=at,
        category=draw(st.sampled_from(["", "a", "b"])), brand=draw(st.sampled_from(["", "m", "n"])),
        price=draw(st.sampled_from([None, 100, 900])), in_stock=draw(st.sampled_from([None, None, True, False])),
        query=draw(st.sampled_from(["tea", "green tea", "绿茶", "茶"])) if behaviour == Behaviour.SEARCH else "",
        shown=shown,
    )  # fmt: skip


interactions = st.lists(make_interaction(), max_size=60)


@st.composite
def make_snapshot(draw: st.DrawFn) -> Snapshot:
    moments = st.builds(
        Moment, st.integers(0, 3_000).map(lambda d: d * DAY_MS), st.sampled_from(BEHAVIOURS), items,
        words=st.sampled_from(["", "tea", "绿茶"]),
    )  # fmt: skip
    return Snapshot(
        id="s", customer=f"customer-{draw(st.integers(0, 5))}", at=draw(st.integers(0, 3_100)) * DAY_MS,
        trigger="order", arrived=0, features={}, story=sorted(draw(st.lists(moments, max_size=8)), key=lambda m: m.at),
        cart=draw(st.lists(items, max_size=3)), owned=draw(st.lists(items, max_size=12)),
    )  # fmt: skip


def learned(given_interactions: list[Interaction], bounds: Bounds | None = None) -> ItemIndex:
    index = ItemIndex(bounds, choices=2)
    for interaction in given_interactions:
        index.learn_one(interaction)
    return index


@settings(max_examples=25)
@given(interactions)
def test_memory_is_bounded(given_interactions: list[Interaction]) -> None:
    index = learned(given_interactions, SMALL)
    memory = index.memory
    assert index.shoppers.remembered == sum(len(shopper.bought) for _, shopper in index.shoppers)
    assert index.shoppers.remembered <= SMALL.purchases + 1
    assert len(index) <= SMALL.items
    assert len(index.shoppers) <= SMALL.customers
    assert all(len(shopper.bought) <= SMALL.bought for _, shopper in index.shoppers)
    assert memory.size <= SMALL.items
    assert memory.covisits.ids.shape == (memory.size, SMALL.companions)
    assert len(memory.sessions.items) <= SMALL.sessions
    assert memory.sessions.posted <= memory.sessions.items.size
    assert len(index.shelf) <= 2 * SMALL.items
    assert len(memory.searches.terms) <= SMALL.terms
    assert memory.searches.ids.shape == (min(SMALL.terms, len(memory.searches.ids)), PLACES)


@settings(max_examples=25)
@given(interactions)
def test_the_inverted_index_is_the_sessions_turned_around(given_interactions: list[Interaction]) -> None:
    memory = learned(given_interactions, SMALL).memory
    sessions = memory.sessions
    for slot in range(memory.size):
        rows = np.flatnonzero((sessions.items == slot).any(1)).tolist()
        assert sorted(serial % sessions.rows for serial in sessions.of(slot, 100).tolist()) == rows
    used = {slot for slot, name in enumerate(memory.slots.dump()) if name}
    assert set(np.unique(sessions.items).tolist()) | set(np.unique(memory.covisits.ids).tolist()) <= used | {-1}


@settings(max_examples=25)
@given(interactions, interactions, make_snapshot(), st.sampled_from([None, SMALL]))
def test_a_loaded_copy_agrees_and_goes_on_alike(
    before: list[Interaction], after: list[Interaction], snapshot: Snapshot, bounds: Bounds | None
) -> None:
    index = learned(before, bounds)
    copy = state.load(state.dump(index), bounds, choices=2)
    for interaction in after:
        index.learn_one(interaction)
        copy.learn_one(interaction)
    assert recommend(snapshot, copy) == recommend(snapshot, index)
    assert state.dump(copy) == state.dump(index)


@settings(max_examples=25)
@given(interactions, make_snapshot(), st.integers(1, 12))
def test_what_may_not_be_shown_is_not_shown_and_the_rest_is(
    given_interactions: list[Interaction], snapshot: Snapshot, k: int
) -> None:
    index = learned(given_interactions)
    ranked = recommend(snapshot, index, k)
    assert len(ranked) <= k
    assert len({r.item for r in ranked}) == len(ranked)
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
    told = {moment.item for moment in snapshot.story if moment.behaviour == Behaviour.ORDER}
    barred = {*snapshot.cart, *snapshot.owned, *index.bought(snapshot.customer), *told}
    for r in ranked:
        assert r.words
        assert r.item not in snapshot.cart
        assert not index.shelf.lacks(r.item)
        assert r.source == "buy_again" or r.item not in barred
    if any(item and item not in barred and not index.shelf.lacks(item) for item in index.memory.slots.dump()):
        assert ranked


@settings(max_examples=25)
@given(interactions, make_snapshot())
def test_recommending_changes_nothing(given_interactions: list[Interaction], snapshot: Snapshot) -> None:
    index = learned(given_interactions)
    before = state.dump(index)
    assert recommend(snapshot, index) == recommend(snapshot, index)
    assert state.dump(index) == before


@settings(max_examples=25)
@given(interactions)
def test_an_erased_customer_is_nowhere(given_interactions: list[Interaction]) -> None:
    index = learned(given_interactions)
    index.forget("customer-1")
    assert b"customer-1" not in state.dump(index)
    assert index.bought("customer-1") == {}
    assert index.shoppers.find("customer-1") is None


@given(st.permutations([touch for n in range(4) for touch in (n, n, n + 1)]))
def test_touches_of_one_time_are_as_popular_in_any_order(touches: list[int]) -> None:
    index = ItemIndex()
    for number, item in enumerate(touches):
        index.learn_one(
            Interaction(customer=str(number), session=0, item=str(item), behaviour=Behaviour.VIEW, at=DAY_MS)
        )
    assert dict(index.trending()) == {"0": 2 / 3, "1": 1.0, "2": 1.0, "3": 1.0, "4": 1 / 3}


@given(st.lists(st.tuples(st.integers(0, 3 * HOT), st.integers(0, 50)), max_size=300))
def test_trending_is_exactly_the_hottest(touches: list[tuple[int, int]]) -> None:
    index = ItemIndex()
    for number, (item, day) in enumerate(touches):
        index.learn_one(
            Interaction(customer=str(number), session=0, item=str(item), behaviour=Behaviour.VIEW, at=day * DAY_MS)
        )
    hot = dict(index.trending(10_000))
    assert [share for _, share in index.trending(HOT)] == sorted(hot.values(), reverse=True)[:HOT]


@settings(max_examples=50)
@given(st.lists(make_interaction(), max_size=60), st.data())
def test_the_popular_of_a_group_are_its_hottest(given_interactions: list[Interaction], data: st.DataObject) -> None:
    """Whatever items move between groups, are forgotten or come back, and whenever somebody asks in between."""
    index = ItemIndex(SMALL, choices=0)
    groups = [Group("category", "a"), Group("category", "b"), Group("brand", "m"), Group("brand", "n")]
    for interaction in given_interactions:
        index.learn_one(interaction)
        if data.draw(st.booleans()):
            index.stock(data.draw(items.filter(bool)), data.draw(st.sampled_from(["", "a", "b"])), "m", None, None, 0)
        group = data.draw(st.sampled_from(groups))
        slots = {name: slot for slot, name in enumerate(index.memory.slots.dump()) if name}
        members = [name for name in slots if group in index.shelf.find(name).groups()]
        hot = index.memory.hot
        ranked = sorted(members, key=lambda name: (-hot[slots[name]], slots[name]))
        assert [item for item, _ in index.popular.of_group(group)] == ranked
        newest = index.shelf.newest(group, 100)
        assert len(newest) == len(set(newest))
        assert set(members) <= set(newest) == {item for item, good in index.shelf if group in good.groups()}
