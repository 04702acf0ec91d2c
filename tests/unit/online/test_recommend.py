"""Recommendations: from which source, with which words, and for whom nothing is known."""

from typing import Any

import msgspec
import numpy as np
import pytest

from online.index import Bounds, ItemIndex
from online.recommend import state
from online.recommend.recommend import recommend
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Moment, Snapshot

NOW = 200 * DAY_MS


def touch(
    customer: str, item: str, behaviour: Behaviour = Behaviour.VIEW, day: float = 199.0, session: int = 1
) -> Interaction:
    return Interaction(customer=customer, session=session, item=item, behaviour=behaviour, at=round(day * DAY_MS))


def make_snapshot(customer: str = "ann", story: list[Moment] | None = None, **changes: list[str]) -> Snapshot:
    return Snapshot(
        id="s", customer=customer, at=NOW, trigger="cart", arrived=NOW, features={}, story=story or [],
        cart=changes.get("cart", []), owned=changes.get("owned", []),
    )  # fmt: skip


def shop() -> ItemIndex:
    """Bob and nine like him buy coffee and filters together; everybody looks at the kettle."""
    index = ItemIndex()
    for n in range(10):
        index.learn_one(touch(f"bob{n}", "coffee", Behaviour.ORDER, 190))
        index.learn_one(touch(f"bob{n}", "filters", Behaviour.ORDER, 190))
    for n in range(60):
        index.learn_one(touch(f"eve{n}", "kettle", day=199))
    return index


def test_an_unknown_customer_sees_what_is_popular() -> None:
    ranked = recommend(make_snapshot("nobody"), shop())
    assert (ranked[0].item, ranked[0].source, ranked[0].words) == ("kettle", "trending", "popular this week")
    assert {r.item for r in ranked} == {"kettle", "coffee", "filters"}


def test_who_looks_at_coffee_sees_filters_first_and_why() -> None:
    story = [Moment(NOW - 1, Behaviour.VIEW, "coffee")]
    (first, *_) = recommend(make_snapshot(story=story), shop())
    assert (first.item, first.source, first.words) == ("filters", "together", "often chosen together with coffee")


def test_the_cart_is_a_reason_and_is_not_shown() -> None:
    ranked = recommend(make_snapshot(cart=["coffee"]), shop())
    assert ranked[0].words == "often chosen together with coffee in your cart"
    assert "coffee" not in [r.item for r in ranked]


def test_what_is_bought_regularly_comes_back_when_it_is_due() -> None:
    index = shop()
    for day in (164, 176, 188):
        index.learn_one(touch("ann", "coffee", Behaviour.ORDER, day, session=day))
    (first, *_) = recommend(make_snapshot(owned=["coffee"]), index)
    assert (first.item, first.source, first.words) == ("coffee", "buy_again", "you buy this about every 12 days")
    # Just bought again, it is hers and not shown.
    index.learn_one(touch("ann", "coffee", Behaviour.ORDER, 199, session=199))
    assert "coffee" not in [r.item for r in recommend(make_snapshot(owned=["coffee"]), index)]


def test_the_story_tells_of_purchases_that_the_index_has_not_seen() -> None:
    story = [Moment(NOW - n * DAY_MS, Behaviour.ORDER, "milk") for n in (15, 10, 5)]
    (first, *_) = recommend(make_snapshot(story=story, owned=["milk"]), shop())
    assert (first.item, first.words) == ("milk", "you buy this about every 5 days")


def test_owned_and_cart_empty_the_list_only_when_nothing_is_left() -> None:
    index = shop()
    assert [r.item for r in recommend(make_snapshot(owned=["kettle", "coffee"]), index)] == ["filters"]
    assert recommend(make_snapshot(owned=["kettle", "coffee"], cart=["filters"]), index) == []
    assert recommend(make_snapshot(), ItemIndex()) == []


def test_all_that_is_popular_being_hers_the_rest_is_shown() -> None:
    index = ItemIndex()
    for n in range(500):
        for customer in range(2 if n < 400 else 1):
            index.learn_one(touch(f"c{n}-{customer}", f"i{n}"))
    owned = [f"i{n}" for n in range(400)]
    ranked = recommend(make_snapshot(owned=owned), index)
    assert len(ranked) == 10
    assert not {r.item for r in ranked} & set(owned)


def test_yesterday_outweighs_last_month() -> None:
    index = ItemIndex()
    for n in range(20):
        index.learn_one(touch(f"a{n}", "old", day=170))
    for n in range(3):
        index.learn_one(touch(f"b{n}", "new", day=199))
    assert [item for item, _ in index.trending(2)] == ["new", "old"]


def test_years_later_the_numbers_are_still_numbers() -> None:
    index = shop()
    index.learn_one(touch("ann", "lamp", day=20_000))
    assert index.trending(1) == [("lamp", 1.0)]
    assert len(index) == 4
    state.load(state.dump(index))


def test_what_follows_is_learned_from_what_is_chosen() -> None:
    """Whoever looks at a shirt looks at trousers and buys socks last: after both, the socks come first."""
    index = ItemIndex(choices=1)
    for n in range(200):
        for item in ("shirt", "trousers", "socks"):
            index.learn_one(touch(f"c{n}", item, day=100 + n / 10))
    assert index.after(["shirt", "trousers"], NOW)[0][0] == "socks"
    assert index.sequel.ranker.learned > 300
    assert sum(share for _, share in index.after(["shirt"], NOW)) == pytest.approx(1.0)


def test_unknown_items_are_no_session() -> None:
    assert shop().after(["never seen"], NOW) == []
    assert shop().after(["never seen", "coffee"], NOW) == shop().after(["coffee"], NOW)


@pytest.mark.parametrize("data", [b"", b"x", b"\x80", state.dump(ItemIndex())[:-9]])
def test_what_is_no_index_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not an item index"):
        state.load(data)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("hot", np.array([-1.0, 0.0, 0.0])),
        ("popular", np.array([np.nan, 0.0, 0.0])),
        ("seen", np.array([1.0, 0.0, 0.0])),
        ("at", np.array([1])),
        ("ids", np.full((3, 64), 3, np.int32)),
    ],
)
def test_arrays_that_are_wrong_are_refused(name: str, changed: "np.ndarray[Any, Any]") -> None:
    told = msgspec.msgpack.decode(state.dump(shop()))
    told["arrays"][name] = [changed.dtype.str, list(changed.shape), changed.tobytes()]
    with pytest.raises(ValueError, match=f"an item index whose {name}"):
        state.load(msgspec.msgpack.encode(told))


def test_an_index_of_other_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="other bounds"):
        state.load(state.dump(shop()), Bounds(items=7))


def test_the_least_popular_items_are_forgotten_first() -> None:
    index = ItemIndex(Bounds(items=8))
    for n in range(12):
        for customer in range(n + 1):
            index.learn_one(touch(f"c{n}-{customer}", f"i{n}"))
    assert "i0" not in index
    assert "i11" in index
