"""What followed when as much time had passed before: counted from her own orders, and from nothing she did since."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online.learner import OnlineModel
from online.learners.blend import NAMES, PRIOR, RENEWAL, Blend, Given
from online.learners.renewal import DOUBT, FADE, REACH, WIDTH, Like, past
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Example, Moment

HORIZONS = {"churn": 30 * DAY_MS, "intent": 7 * DAY_MS}
NOW = 1_000 * DAY_MS


def story(ago: Sequence[float], behaviour: Behaviour = Behaviour.ORDER) -> list[Moment]:
    """Behaviours so many days ago, oldest first."""
    return [Moment(NOW - round(days * DAY_MS), behaviour) for days in sorted(ago, reverse=True)]


def share(likes: dict[str, Like], target: str) -> float:
    return likes[target].true / likes[target].days


def test_who_comes_every_week_comes_within_the_week() -> None:
    likes = past(story([3 + 7 * n for n in range(20)]), NOW, HORIZONS)
    assert share(likes, "intent") > 0.99
    assert share(likes, "churn") < 0.01


def test_a_gap_of_30_days_means_another_thing_to_her_who_comes_in_bursts() -> None:
    """Both order ten times in 300 days: the one every 30 days, the other thrice in a row and then not for 90."""
    even = story([29 + 30 * n for n in range(10)])
    bursts = story([29 + 90 * burst + day for burst in range(4) for day in (0, 1, 2)])
    assert share(past(even, NOW, HORIZONS), "intent") > 0.4
    assert share(past(bursts, NOW, HORIZONS), "intent") < 0.25
    assert share(past(bursts, NOW, HORIZONS), "churn") > share(past(even, NOW, HORIZONS), "churn") + 0.3


def test_it_is_the_kernel_over_her_past_days() -> None:
    ago = [4.0, 5.5, 13.0, 20.0, 22.0, 40.0, 49.0, 51.0, 70.0, 71.5, 90.0]
    step, days, true = 0.01, 0.0, 0.0
    for gone in np.arange(7.0, ago[-1], step):
        before = min(order for order in ago if order >= gone) - gone
        away = (math.log1p(before) - math.log1p(ago[0])) / WIDTH
        if abs(away) <= REACH:
            weight = step * math.exp(-(away**2) / 2 - gone / FADE)
            days += weight
            true += weight * any(gone - 7.0 <= order < gone for order in ago)
    found = past(story(ago), NOW, HORIZONS)["intent"]
    assert found.days == pytest.approx(days, rel=0.1)
    assert found.true / found.days == pytest.approx(true / days, abs=0.1)


def test_what_is_not_known_yet_is_no_like_moment() -> None:
    assert past(story([6.9]), NOW, HORIZONS) == {}
    assert past(story([]), NOW, HORIZONS) == {}
    likes = past(story([8.0, 12.0, 20.0]), NOW, HORIZONS)
    assert likes["intent"].days > 0.0
    assert likes["churn"] == Like(0.0, 0.0)


moments = st.builds(
    Moment, at=st.integers(NOW - 2_000 * DAY_MS, NOW + 50 * DAY_MS), behaviour=st.sampled_from(Behaviour)
)
stories = st.lists(moments, max_size=32).map(lambda found: sorted(found, key=lambda m: m.at))


@given(stories, st.integers(-500, 500))
def test_only_her_orders_until_now_count_and_how_long_ago_they_were(told: list[Moment], shift: int) -> None:
    likes = past(told, NOW, HORIZONS)
    for like in likes.values():
        assert 0.0 <= like.true <= like.days * (1 + 1e-9) < math.inf
        assert 0.0 <= like.correct(0.3) <= 1.0
    known = [m for m in told if m.behaviour == Behaviour.ORDER and m.at <= NOW]
    assert past(known, NOW, HORIZONS) == likes
    moved = [Moment(m.at + shift * DAY_MS, m.behaviour) for m in told]
    assert past(moved, NOW + shift * DAY_MS, HORIZONS) == likes


@given(st.lists(st.integers(0, 2**53), min_size=1, max_size=32), st.integers(0, 2**53))
def test_absurd_times_are_no_matter(times: list[int], at: int) -> None:
    likes = past([Moment(time, Behaviour.ORDER) for time in sorted(times)], at, HORIZONS)
    assert all(math.isfinite(like.days) and 0.0 <= like.correct(0.5) <= 1.0 for like in likes.values())


def test_a_past_corrects_as_far_as_there_is_of_it() -> None:
    blend, given_none = Blend(), Given.of({})
    assert RENEWAL not in blend.predict(given_none)
    assert RENEWAL not in blend.predict(given_none, Like(0.0, 0.0))
    said = blend.predict(given_none, Like(DOUBT, DOUBT))
    assert said[RENEWAL] == pytest.approx(0.75)
    assert 0.5 < blend.combine(said) < 0.75
    model = OnlineModel()
    usual = model.predict_one({}, {"intent": Like(1_000.0, 900.0)})
    assert usual.intent > 0.55
    assert usual.churn == 0.5


def test_it_is_believed_where_it_is_right_about_her() -> None:
    """Nothing but her past tells these customers apart: its weight grows."""
    model, weight = OnlineModel(), PRIOR[RENEWAL]
    for n in range(1_000):
        keen = n % 2 == 1
        _, said = model.answer({"hour": 3.0}, {"intent": Like(100.0, 95.0 if keen else 5.0)})
        model.learn_one(
            Example(
                id=str(n), customer="c", at=0, matured=1, target="intent", label=keen, features={"hour": 3.0},
                story="", served=0.5, bert=None, online=0.5, learners=said["intent"],
            )
        )  # fmt: skip
    assert model.weights("intent")[RENEWAL] > 2 * weight
    assert model.predict_one({"hour": 3.0}, {"intent": Like(100.0, 95.0)}).intent > 0.75


def test_a_snapshot_from_before_it_joined_is_loaded() -> None:
    state = OnlineModel().dump()
    old = {"linear": 0.3, "newton": 0.5, "forest": 0.2}
    for target in state["targets"].values():
        target["weights"] = dict(old)
    weights = OnlineModel.load(state).weights("churn")
    assert weights.keys() == NAMES
    assert weights[RENEWAL] == PRIOR[RENEWAL]
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["linear"] / weights["newton"] == pytest.approx(0.6)
