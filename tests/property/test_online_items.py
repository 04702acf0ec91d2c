"""Laws of the item index and its recommendations: bounded, exact at the top, a copy agrees, nothing barred is shown."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from online.index import HOT, Bounds, ItemIndex
from online.recommend import recommend
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Moment, Snapshot

SMALL = Bounds(items=8, neighbours=3, customers=3, recent=3, bought=3)
BEHAVIOURS = (Behaviour.VIEW, Behaviour.CART_ADD, Behaviour.ORDER, Behaviour.SEARCH, Behaviour.CANCEL)

items = st.integers(0, 14).map(lambda n: f"i{n}" if n else "")


@st.composite
def make_interaction(draw: st.DrawFn) -> Interaction:
    at = draw(st.integers(0, 3_000)) * DAY_MS
    return Interaction(
        customer=f"c{draw(st.integers(0, 4))}", session=draw(st.integers(0, 2)), item=draw(items),
        behaviour=draw(st.sampled_from(BEHAVIOURS)), at=at, category=draw(st.sampled_from(["", "a", "b"])),
    )  # fmt: skip


interactions = st.lists(make_interaction(), max_size=60)


@st.composite
def make_snapshot(draw: st.DrawFn) -> Snapshot:
    moments = st.builds(Moment, st.integers(0, 3_000).map(lambda d: d * DAY_MS), st.sampled_from(BEHAVIOURS), items)
    return Snapshot(
        id="s", customer=f"c{draw(st.integers(0, 5))}", at=draw(st.integers(0, 3_100)) * DAY_MS, trigger="order",
        arrived=0, features={}, story=sorted(draw(st.lists(moments, max_size=8)), key=lambda m: m.at),
        cart=draw(st.lists(items, max_size=3)), owned=draw(st.lists(items, max_size=12)),
    )  # fmt: skip


def learned(given_interactions: list[Interaction], bounds: Bounds | None = None) -> ItemIndex:
    index = ItemIndex(bounds)
    for interaction in given_interactions:
        index.learn_one(interaction)
    return index


@given(interactions)
def test_memory_is_bounded(given_interactions: list[Interaction]) -> None:
    index = learned(given_interactions, SMALL)
    assert len(index) <= SMALL.items + SMALL.items // 8
    state = index.dump()
    assert len(state["shoppers"]) <= SMALL.customers
    assert all(len(together) <= SMALL.neighbours for together in state["together"].values())
    assert state["together"].keys() | state["mass"].keys() | state["categories"].keys() <= state["popular"].keys()
    for shopper in state["shoppers"].values():
        assert len(shopper["recent"]) <= SMALL.recent
        assert len(shopper["bought"]) <= SMALL.bought


@given(interactions, interactions, make_snapshot(), st.sampled_from([None, SMALL]))
def test_a_loaded_copy_agrees_and_goes_on_alike(
    before: list[Interaction], after: list[Interaction], snapshot: Snapshot, bounds: Bounds | None
) -> None:
    index = learned(before, bounds)
    copy = ItemIndex.load(msgspec.json.decode(msgspec.json.encode(index.dump())), bounds)
    for interaction in after:
        index.learn_one(interaction)
        copy.learn_one(interaction)
    assert recommend(snapshot, copy) == recommend(snapshot, index)
    assert msgspec.json.encode(copy.dump()) == msgspec.json.encode(index.dump())


@given(interactions, make_snapshot(), st.integers(1, 12))
def test_what_may_not_be_shown_is_not_shown_and_the_rest_is(
    given_interactions: list[Interaction], snapshot: Snapshot, k: int
) -> None:
    index = learned(given_interactions)
    ranked = recommend(snapshot, index, k)
    assert len(ranked) <= k
    assert len({r.item for r in ranked}) == len(ranked)
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
    barred = set(snapshot.cart) | set(snapshot.owned) | set(index.bought(snapshot.customer))
    for r in ranked:
        assert r.words
        assert r.item not in snapshot.cart
        assert r.source == "buy_again" or r.item not in barred
    if any(item not in barred for item in index.dump()["popular"]):
        assert ranked


@given(interactions, make_snapshot())
def test_recommending_changes_nothing(given_interactions: list[Interaction], snapshot: Snapshot) -> None:
    index = learned(given_interactions)
    before = msgspec.json.encode(index.dump())
    assert recommend(snapshot, index) == recommend(snapshot, index)
    assert msgspec.json.encode(index.dump()) == before


@given(st.lists(st.tuples(st.integers(0, 3 * HOT), st.integers(0, 50)), max_size=2_000))
def test_trending_is_exactly_the_most_popular(touches: list[tuple[int, int]]) -> None:
    index = ItemIndex()
    for number, (item, day) in enumerate(touches):
        index.learn_one(
            Interaction(customer=str(number), session=0, item=str(item), behaviour=Behaviour.VIEW, at=day * DAY_MS)
        )
    counts = index.dump()["popular"]
    top = sorted(counts, key=lambda i: (counts[i], i), reverse=True)[:HOT]
    assert [item for item, _ in index.trending(HOT)] == top
