"""What is said of items: who is alike, what is new, and what cannot be bought is in no list until it can."""

import msgspec
import pytest

from online.index import Bounds, ItemIndex
from online.recommend import state
from online.recommend.candidates import candidates
from online.recommend.recommend import recommend
from online.recommend.shelf import Good, Group
from online.recommend.sources import UNSEEN, alike
from online.recommend.visit import Visit
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Moment, Ranked, Snapshot

NOW = 200 * DAY_MS


def view(customer: str, item: str, at: int = NOW, **said: object) -> Interaction:
    return Interaction(customer=customer, session=1, item=item, behaviour=Behaviour.VIEW, at=at, **said)  # type: ignore[arg-type]


def shop() -> ItemIndex:
    """Teas of two brands and prices, seen more or less often; one that nobody has seen yet."""
    index = ItemIndex()
    teas = {"sencha": ("Low Mill", 900, 9), "oolong": ("Low Mill", 1_000, 6), "twig": ("High Mill", 9_000, 6)}
    for item, (brand, price, times) in teas.items():
        for n in range(times):
            index.learn_one(view(f"{item}{n}", item, category="Tea", brand=brand, price=price))
    for n in range(30):
        index.learn_one(view(f"k{n}", "kettle", category="Kitchen", brand="Low Mill", price=5_000))
    index.stock("new tea", "Tea", "Low Mill", 950, None, NOW)
    return index


def looking(index: ItemIndex, item: str = "sencha") -> list[Ranked]:
    story = [Moment(NOW - 1, Behaviour.VIEW, item)]
    snapshot = Snapshot(id="s", customer="ann", at=NOW, trigger="cart", arrived=NOW, features={}, story=story)
    return recommend(snapshot, index)


def test_alike_is_who_shares_category_brand_and_price() -> None:
    one = Good("Tea", "Low Mill", 900)
    same, dear, other = Good("Tea", "Low Mill", 900), Good("Tea", "Low Mill", 3_600), Good("Kitchen", "Bluekiln", 900)
    assert alike(one, same) == 1.0
    assert alike(one, same) > alike(one, dear) > alike(one, Good("Tea", "Bluekiln", 3_600)) > alike(one, other) > 0
    # What is not known of an item says nothing against others.
    assert alike(Good("Tea"), dear) == 1.0
    assert alike(Good(), dear) == 0.0


def test_similar_items_are_of_the_kind_brand_and_price_and_new_ones_are_among_them() -> None:
    found = {r.item: r for r in looking(shop()) if r.source == "similar"}
    assert [*found][:2] == ["oolong", "twig"]
    assert found["oolong"].words == "popular in Tea now"
    assert found["new tea"].words == "new in Tea"
    assert found["oolong"].score > found["twig"].score > found["new tea"].score
    assert found["new tea"].score == pytest.approx(found["oolong"].score * UNSEEN, rel=0.2)


def test_an_item_of_the_brand_says_so() -> None:
    index = shop()
    visit = Visit(NOW, {"sencha": Behaviour.VIEW}, [], {})
    words = {c.item: c.words for c in candidates(visit, index) if c.source == "similar"}
    assert words["kettle"] == "by Low Mill as well"
    assert dict(index.popular.of_group(Group("brand", "Low Mill")))["kettle"] == 1.0


def test_what_is_sold_out_is_in_no_list_until_it_is_back() -> None:
    index = shop()
    for day in (164, 176, 188):
        order = Interaction(customer="ann", session=day, item="sencha", behaviour=Behaviour.ORDER, at=day * DAY_MS)
        index.learn_one(order)
    bought = {r.item: r.source for r in looking(index, "oolong")}
    assert (bought["sencha"], bought["kettle"]) == ("buy_again", "trending")
    index.learn_one(view("b", "sencha", in_stock=False))
    index.stock("kettle", "", "", None, False, NOW)
    index.stock("new tea", "", "", None, False, NOW)
    assert {r.item for r in looking(index, "oolong")} == {"oolong", "twig"}
    assert index.shelf.sold_out == 3
    index.learn_one(view("b", "sencha", NOW + 1, in_stock=True))
    assert looking(index, "oolong")[0].item == "sencha"
    # A cart or search says nothing of stock: it stays as it was.
    index.learn_one(view("b", "kettle", NOW + 2))
    assert "kettle" not in {r.item for r in looking(index, "oolong")}


def test_all_being_sold_out_there_is_nothing_to_show() -> None:
    index = shop()
    for item in ("sencha", "oolong", "twig", "kettle", "new tea"):
        index.stock(item, "", "", None, False, NOW)
    assert looking(index) == []


def test_of_stock_the_latest_word_stands_whenever_it_is_heard() -> None:
    index = shop()
    index.stock("sencha", "", "", None, True, NOW + 5)
    index.learn_one(view("late", "sencha", NOW + 3, in_stock=False))
    assert not index.shelf.lacks("sencha")
    index.learn_one(view("later", "sencha", NOW + 7, in_stock=False))
    assert index.shelf.lacks("sencha")


def test_an_item_may_move_to_another_group() -> None:
    index = shop()
    index.learn_one(view("b", "twig", category="Garden"))
    assert "twig" not in dict(index.popular.of_group(Group("category", "Tea")))
    assert dict(index.popular.of_group(Group("category", "Garden"))) == {"twig": 1.0}
    index.stock("twig", "Tea", "", None, None, NOW)
    assert "twig" in dict(index.popular.of_group(Group("category", "Tea")))
    assert index.popular.of_group(Group("category", "Garden")) == []
    assert index.shelf.newest(Group("category", "Tea"), 1) == ["twig"]


def test_what_is_known_to_the_index_is_never_taken_off_the_shelf_for_what_is_not() -> None:
    index = ItemIndex(Bounds(items=8))
    for n in range(8):
        index.learn_one(view(f"c{n}", f"seen{n}", category="Tea"))
    for n in range(200):
        index.stock(f"new{n}", "Tea", "", None, n % 2 == 0, NOW)
    assert len(index.shelf) <= 16
    assert all(index.shelf.find(f"seen{n}").category == "Tea" for n in range(8))
    assert index.shelf.newest(Group("category", "Tea"), 2) == ["new199", "new198"]
    assert index.shelf.sold_out == sum(good.sold_out for _, good in index.shelf)
    assert len(list(index.shelf.members(Group("category", "Tea")))) == len(index.shelf)


@pytest.mark.parametrize("wrong", [{"i": ["", "", -1, False, 0]}, {f"i{n}": [] for n in range(20)}])
def test_a_shelf_that_cannot_be_is_refused(wrong: object) -> None:
    index = ItemIndex(Bounds(items=8))
    told = msgspec.msgpack.decode(state.dump(index))
    told["shelf"] = wrong
    with pytest.raises(ValueError, match="an item index with"):
        state.load(msgspec.msgpack.encode(told), Bounds(items=8))
