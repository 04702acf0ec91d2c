"""Search to purchase: what was chosen after a search is proposed to who searches alike, in any script."""

import numpy as np
import pytest

from online.index import Bounds, ItemIndex
from online.recommend.recommend import recommend
from online.recommend.terms import MOST, terms
from online.recommend.visit import Visit, of_shopper
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Moment, Ranked, Snapshot

NOW = 200 * DAY_MS


def did(customer: str, behaviour: Behaviour, what: str, at: int = NOW, session: int = 1) -> Interaction:
    item, query = ("", what) if behaviour == Behaviour.SEARCH else (what, "")
    return Interaction(customer=customer, session=session, item=item, behaviour=behaviour, at=at, query=query)


def visits(index: ItemIndex, count: int, query: str, *items: str, at: int = NOW) -> None:
    for n in range(count):
        customer = f"{query}-{items}-{n}"
        index.learn_one(did(customer, Behaviour.SEARCH, query, at))
        for item in items:
            index.learn_one(did(customer, Behaviour.VIEW, item, at))


def searching(index: ItemIndex, query: str, *since: Moment, ago: int = 60_000) -> list[Ranked]:
    story = [Moment(NOW - ago, Behaviour.SEARCH, words=query), *since]
    found = recommend(
        Snapshot(id="s", customer="ann", at=NOW, trigger="engaged", arrived=NOW, features={}, story=story), index, 30
    )
    return [ranked for ranked in found if ranked.source == "searched"]


@pytest.mark.parametrize(
    ("learned", "other", "asked"),
    [
        ("green tea", "desk lamp", "TEA"),
        ("日本绿茶", "台灯", "绿茶杯"),
        ("чай зелёный", "лампа", "зелёный"),
        ("चाय पत्ती", "दीपक", "चाय"),
        ("ชาเขียว", "โคมไฟ", "เขียวชา"),
        ("\uff54\uff45\uff41!", "lamp", "tea"),
    ],
)
def test_who_searches_alike_sees_what_others_chose(learned: str, other: str, asked: str) -> None:
    index = ItemIndex()
    visits(index, 5, learned, "sencha")
    visits(index, 50, other, "lamp")
    first, *rest = searching(index, asked)
    assert (first.item, first.words) == ("sencha", "chosen by others after a search like yours")
    assert not rest


def test_a_purchase_says_more_than_a_look_and_the_next_item_more_than_a_later_one() -> None:
    index = ItemIndex()
    visits(index, 2, "tea", "looked at", "later")
    for n in range(2):
        index.learn_one(did(f"b{n}", Behaviour.SEARCH, "tea"))
        index.learn_one(did(f"b{n}", Behaviour.ORDER, "bought"))
    strength = dict(index.sources.searched(visit_of(index, "tea"), set(), 10))
    assert strength["bought"] > strength["looked at"] > strength["later"] > 0


def visit_of(index: ItemIndex, query: str) -> Visit:
    index.learn_one(did("zoe", Behaviour.SEARCH, query))
    shopper = index.shoppers.find("zoe")
    assert shopper is not None
    return of_shopper(shopper, NOW)


def test_what_is_chosen_long_after_or_in_another_session_was_not_searched_for() -> None:
    index = ItemIndex()
    visits(index, 1, "tea", *(f"i{n}" for n in range(8)))
    index.learn_one(did("c", Behaviour.SEARCH, "tea"))
    index.learn_one(did("c", Behaviour.VIEW, "tomorrow", session=2))
    assert {item for item, _ in index.sources.searched(visit_of(index, "tea"), set(), 10)} == {
        f"i{n}" for n in range(5)
    }


def test_a_search_of_long_ago_and_one_that_found_enough_say_nothing() -> None:
    index = ItemIndex()
    visits(index, 5, "tea", "sencha")
    assert searching(index, "tea", ago=31 * 60_000) == []
    assert searching(index, "tea", *(Moment(NOW, Behaviour.VIEW, f"x{n}") for n in range(5))) == []
    assert searching(index, "tea", Moment(NOW, Behaviour.VIEW, "x")) != []
    assert searching(index, "never said") == []


def test_old_choices_fade() -> None:
    index = ItemIndex()
    visits(index, 4, "tea", "old", at=NOW - 150 * DAY_MS)
    visits(index, 2, "tea", "new")
    assert [ranked.item for ranked in searching(index, "tea")] == ["new", "old"]


def test_terms_are_few_and_say_no_words() -> None:
    assert terms("  ") == terms("") == []
    assert len(terms(" ".join(f"w{n}" for n in range(100)))) == MOST
    assert len(terms("🎂")) == 2
    assert all(len(term) == 16 and int(term, 16) >= 0 for term in terms("my name is ann"))


def test_the_terms_said_least_give_way() -> None:
    index = ItemIndex(Bounds(terms=8))
    for n in range(3):
        visits(index, 5, "tea", f"i{n}")
    for n in range(40):
        visits(index, 1, f"word{n}", "other")
    searches = index.memory.searches
    assert len(searches.terms) <= 8
    assert searches.ids.shape == (8, 32)
    assert {ranked.item for ranked in searching(index, "tea")} >= {"i0", "i1", "i2"}


def test_a_forgotten_item_is_forgotten_here_as_well() -> None:
    index = ItemIndex(Bounds(items=4))
    visits(index, 1, "tea", "rare")
    for n in range(4):
        visits(index, 5, "lamp", f"lamp{n}")
    assert "rare" not in index
    assert searching(index, "tea") == []
    assert np.isin(index.memory.searches.ids, [-1, *range(4)]).all()
