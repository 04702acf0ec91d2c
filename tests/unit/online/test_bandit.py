"""The bandit over sources: it learns what is chosen, explores by lot and says how likely each list was."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from online.index import ItemIndex
from online.recommend.bandit import CONTEXT, PRIOR, Bandit, context, lead
from online.recommend.recommend import recommend, show
from online.recommend.sources import SOURCES
from online.recommend.visit import Visit
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Moment, Snapshot

NOW = 200 * DAY_MS
OFFERED = {"together": ["a", "b"], "trending": ["x", "y"]}
SHORT = context(Visit(NOW, {"i": 4}, [], {}))
CART = context(Visit(NOW, {"i": 4}, ["c"], {}))


def test_before_it_has_learned_the_prior_stands() -> None:
    worth = Bandit().worth(SHORT)
    assert list(worth) == list(SOURCES)
    assert worth["trending"] / worth["together"] == pytest.approx(PRIOR[3] / PRIOR[1])
    assert max(worth.values()) == 1.0


def test_a_source_whose_items_are_chosen_is_worth_more_to_those_who_choose_them() -> None:
    bandit = Bandit()
    for n in range(2_000):
        # With something in the cart it is what is popular, without what goes together; a third of the time neither.
        who, item = (CART, "x") if n % 2 else (SHORT, "a")
        bandit.learn_one(who, OFFERED, "none" if n % 3 == 0 else item, 1.0)
    with_cart, without = bandit.worth(CART), bandit.worth(SHORT)
    assert with_cart["trending"] > 2 * with_cart["together"]
    assert without["together"] > 2 * without["trending"]


def test_who_changes_is_followed() -> None:
    bandit = Bandit()
    for item in ["a"] * 3_000 + ["x"] * 9_000:
        bandit.learn_one(SHORT, OFFERED, item, 1.0)
    worth = bandit.worth(SHORT)
    assert worth["trending"] > worth["together"]


def test_lots_are_as_often_as_the_propensities_say_and_the_same_for_the_same_list() -> None:
    offered = ("together", "trending", "similar", "buy_again")
    drawn = Counter(lead(offered, "together", 0.2, f"s{n}") for n in range(20_000))
    assert sum(share.propensity for share in drawn) == pytest.approx(1.0)
    assert {led.source for led in drawn} == set(offered)
    for led, times in drawn.items():
        assert times / 20_000 == pytest.approx(led.propensity, abs=0.01)
    assert lead(offered, "together", 0.2, "s1") == lead(offered, "together", 0.2, "s1")
    assert lead(offered, "together", 0.0, "s1") == ("together", 1.0)


def shop() -> ItemIndex:
    index = ItemIndex()
    for n in range(40):
        for item in ("tent", "stove") if n % 4 else ("lamp",):
            index.learn_one(
                Interaction(customer=f"c{n}", session=1, item=item, behaviour=Behaviour.VIEW, at=NOW - DAY_MS)
            )
    return index


def test_a_list_that_explores_has_the_same_items_led_by_another_source() -> None:
    index = shop()
    lists = {}
    for n in range(400):
        snapshot = Snapshot(
            id=f"s{n}", customer="ann", at=NOW, trigger="cart", arrived=NOW, features={},
            story=[Moment(NOW, Behaviour.VIEW, "tent")],
        )  # fmt: skip
        shown = show(snapshot, index, explore=0.3)
        assert shown.items[0].source == shown.lead
        assert [r.score for r in shown.items] == sorted((r.score for r in shown.items), reverse=True)
        lists[shown.lead] = shown
    plain = recommend(snapshot, index)
    assert lists.keys() == {"together", "trending"}
    assert lists["together"].items == plain
    assert lists["together"].propensity == pytest.approx(0.85)
    assert lists["trending"].propensity == pytest.approx(0.15)
    assert {r.item for r in lists["trending"].items} == {r.item for r in plain}


def test_the_index_learns_it_from_what_is_chosen() -> None:
    """Everybody goes on to the lamp, whatever came before: what is popular becomes worth more."""
    index = ItemIndex(choices=1)
    before = index.bandit.worth(SHORT)
    for n in range(300):
        for item in (f"i{n}", "lamp"):
            index.learn_one(Interaction(customer=f"c{n}", session=1, item=item, behaviour=Behaviour.VIEW, at=NOW + n))
    assert index.bandit.cases == 300
    assert index.bandit.worth(SHORT)["trending"] > before["trending"]


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (0, -np.ones((len(SOURCES), CONTEXT, CONTEXT))),
        (2, np.full((len(SOURCES), CONTEXT, CONTEXT), np.nan)),
        (2, np.eye(4)),
        (1, np.full((len(SOURCES), CONTEXT), np.inf)),
        (4, np.array([1.0, -1.0])),
        (4, np.zeros(3)),
    ],
)
def test_what_cannot_have_been_learned_is_refused(place: int, wrong: "np.ndarray[Any, Any]") -> None:
    arrays = Bandit().dump()
    arrays[place] = wrong
    with pytest.raises(ValueError, match="bandit"):
        Bandit().load(arrays, 1, 0, 0)
    with pytest.raises(ValueError, match="bandit"):
        Bandit().load(Bandit().dump(), 1, 1, 2)
