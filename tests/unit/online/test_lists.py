"""Lists that were shown: chosen from within the window, or not; bounded; the same again when the log is read again."""

import math

import numpy as np
import pytest

from online.index import ItemIndex
from online.recommend.bandit import CONTEXT, Bandit, context, seen
from online.recommend.lists import NOWHERE, OF_ONE, WINDOW_MS, Lists, Settled
from online.recommend.recommend import show
from online.recommend.sources import SOURCES
from online.recommend.visit import Visit
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Interaction, Moment, Shown, Snapshot

NOW = 200 * DAY_MS
WHO = context(Visit(NOW, {"i": 4}, [], {}))


def listed(*items: str, sources: tuple[str, ...] = (), who: list[float] | None = None, name: str = "d") -> Shown:
    given = list(sources) or ["together"] * len(items)
    return Shown(
        decision_id=name, items=list(items), sources=given, lead=given[0], propensity=1.0,
        who=WHO.tolist() if who is None else who,
    )  # fmt: skip


def told(customer: str, shown: Shown, at: int = NOW) -> Interaction:
    return Interaction(customer=customer, session=0, item="", behaviour=Behaviour.OTHER, at=at, shown=shown)


def view(customer: str, item: str, at: int) -> Interaction:
    return Interaction(customer=customer, session=1, item=item, behaviour=Behaviour.VIEW, at=at)


def test_a_choice_settles_the_newest_list_that_has_the_item() -> None:
    lists = Lists()
    lists.show(told("ann", listed("a", "b", name="first")))
    lists.show(told("ann", listed("b", "c", name="second"), NOW + 1))
    (settled,) = lists.chosen("ann", "b", NOW + 2)
    assert (settled.shown.decision_id, settled.place) == ("second", 0)
    (settled,) = lists.chosen("ann", "b", NOW + 3)
    assert (settled.shown.decision_id, settled.place) == ("first", 1)
    assert [*lists.chosen("ann", "b", NOW + 4)] == []
    assert len(lists) == 0


def test_a_list_fails_when_its_window_ends_whoever_moves_the_clock() -> None:
    lists = Lists()
    lists.show(told("ann", listed("a")))
    assert [*lists.chosen("bob", "a", NOW + WINDOW_MS)] == []
    assert [*lists.chosen("bob", "z", NOW + WINDOW_MS + 1, lane=1)] == []
    assert [one.place for one in lists.chosen("ann", "a", NOW + WINDOW_MS + 1)] == [NOWHERE]


def test_the_same_list_shown_again_is_one_list_that_waits_anew() -> None:
    lists = Lists()
    for n in range(5):
        lists.show(told("ann", listed("a", "b", name=f"d{n}"), NOW + n * DAY_MS // 4))
    assert len(lists) == 1
    assert [one.place for one in lists.chosen("ann", "a", NOW + 2 * DAY_MS - 1)] == [0]


def test_lists_are_bounded_and_the_oldest_are_given_up() -> None:
    lists = Lists(limit=10)
    for n in range(1_000):
        lists.show(told(f"c{n % 7}", listed(f"i{n}"), NOW + n))
        [*lists.chosen(f"c{n % 7}", f"i{n}" if n % 3 else "none", NOW + n)]
    assert len(lists) <= 10
    assert lists.given_up > 0
    waiting, _ = lists.dump()
    assert sum(len(lane.due) for lane in lists._lanes.values()) <= 2 * 10 + 64
    assert [one.shown.items for one in waiting][-1] == ["i999"]


def test_who_is_asked_for_without_end_takes_no_room_from_others() -> None:
    lists = Lists(limit=100)
    lists.show(told("ann", listed("a")))
    for n in range(1_000):
        lists.show(told("robot", listed(f"i{n}"), NOW + n))
    assert len(lists) == OF_ONE + 1
    assert [one.place for one in lists.chosen("ann", "a", NOW + 1)] == [0]
    assert [one.place for one in lists.chosen("robot", "i999", NOW + 1_000)] == [0]
    assert [*lists.chosen("robot", "i0", NOW + 1_000)] == []


def test_what_is_no_list_is_left_out() -> None:
    lists = Lists()
    lists.show(told("ann", Shown(decision_id="d", items=[], sources=[], lead="", propensity=1.0, who=[])))
    lists.show(told("ann", Shown(decision_id="d", items=["a"], sources=[], lead="", propensity=1.0, who=[])))
    lists.show(view("ann", "a", NOW))
    assert len(lists) == 0


def test_without_lists_the_worth_is_what_is_chosen_next() -> None:
    bandit = Bandit()
    for n in range(500):
        bandit.learn_one(WHO, {"together": ["a"], "trending": ["x"]}, "a" if n % 4 else "x", 1.0)
    worth = bandit.worth(WHO)
    assert worth["together"] / worth["trending"] == pytest.approx(3.0, rel=0.2)


def test_what_is_chosen_from_lists_outweighs_what_is_chosen_without_them() -> None:
    """All go on to what goes together, whatever they are shown; from lists they take what is popular."""
    bandit = Bandit()
    for _ in range(500):
        bandit.learn_one(WHO, {"together": ["a"], "trending": ["x"]}, "a", 1.0)
    sources = ("together", "trending") * 5
    for n in range(1_500):
        bandit.learn_list(Settled(listed(*"abcdefghij", sources=sources), 1 if n % 2 else NOWHERE))
    worth = bandit.worth(WHO)
    assert worth["trending"] > 3 * worth["together"]
    assert (bandit.lists, bandit.successes) == (1_500, 750)


def test_a_place_that_is_seldom_looked_at_counts_less() -> None:
    """Two sources, chosen from alike; one is always first: it is worth less, for it had the better places."""
    bandit = Bandit()
    sources = ("together", "trending")
    for n in range(4_000):
        place = (0, 1, NOWHERE, NOWHERE)[n % 4]
        bandit.learn_list(Settled(listed("a", "b", sources=sources), place))
    worth = bandit.worth(WHO)
    assert worth["trending"] / worth["together"] == pytest.approx(math.log2(3), rel=0.1)
    assert seen(3).tolist() == pytest.approx([1.0, 1 / math.log2(3), 0.5])


@pytest.mark.parametrize("who", [[], [1.0], [math.nan] * CONTEXT])
def test_a_list_of_another_version_teaches_nothing(who: list[float]) -> None:
    bandit = Bandit()
    bandit.learn_list(Settled(listed("a", who=who), 0))
    assert all(np.array_equal(a, b) for a, b in zip(bandit.dump(), Bandit().dump(), strict=True))


def test_a_list_goes_round_by_the_log_and_teaches_the_index() -> None:
    index = ItemIndex()
    for n in range(60):
        for item in ("tent", "stove"):
            index.learn_one(view(f"b{n}", item, NOW - DAY_MS))
    story = [Moment(NOW, Behaviour.VIEW, "tent")]
    snapshot = Snapshot(id="s", customer="ann", at=NOW, trigger="cart", arrived=NOW, features={}, story=story)
    shown = show(snapshot, index)
    index.learn_one(shown.told("d", "ann", NOW))
    assert (len(index.lists), index.bandit.lists) == (1, 0)
    index.learn_one(view("ann", "stove", NOW + 1))
    assert (len(index.lists), index.bandit.lists, index.bandit.successes) == (0, 1, 1)
    assert [SOURCES[n] for n in np.flatnonzero(index.bandit.shown.gains.any(1))] == [shown.items[0].source]
    index.learn_one(shown.told("e", "ann", NOW))
    index.forget("ann")
    assert len(index.lists) == 0
