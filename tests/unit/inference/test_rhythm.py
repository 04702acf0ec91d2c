"""The numbers that a story tells are those of its words, whatever else is in them."""

import pytest

from inference.bins import Bins, features_of
from inference.rhythm import NAMES, meaning, rhythm
from inference.story import render, told, with_numbers
from schemas.behaviours import Behaviour
from schemas.features import BY_NAME, DAY_MS
from schemas.outputs import Moment, Snapshot

NOW = 400 * DAY_MS


def snapshot(*moments: Moment) -> Snapshot:
    return Snapshot(id="1", customer="ann", at=NOW, trigger="", arrived=NOW, features={"hour": 3.0}, story=[*moments])


def order(days: float, words: str = "") -> Moment:
    return Moment(NOW - round(days * DAY_MS), Behaviour.ORDER, category="milk", amount=3.0, words=words)


def test_orders_have_ages_and_gaps_and_other_behaviours_have_not() -> None:
    view = Moment(NOW - 3 * DAY_MS, Behaviour.VIEW, item="p")
    found = rhythm(told(snapshot(order(40), order(12.5), view, order(0.3))))
    assert (found["story.ago_2"], found["story.ago_3"], found["story.ago_4"]) == (12.0, 40.0, None)
    assert (found["story.gap_1"], found["story.gap_2"], found["story.gap_3"]) == (12.0, 28.0, None)


def test_how_earlier_silences_ended() -> None:
    """Silent for 10 days; gaps of 2, 12, 30 and 50 days: three went on for 10 days, one ended before 17, two by 40."""
    found = rhythm(told(snapshot(order(104), order(54), order(24), order(12), order(10))))
    assert found["story.longer"] == 3.0
    assert [found["story.ends_7"], found["story.ends_30"]] == [1 / 3, 2 / 3]


@pytest.mark.parametrize("moments", [(), (order(5),)], ids=["no order", "one order"])
def test_too_few_orders_tell_nothing(moments: tuple[Moment, ...]) -> None:
    assert rhythm(told(snapshot(*moments))) == dict.fromkeys(NAMES)


def test_words_that_were_kept_say_the_same_as_the_snapshot() -> None:
    bins = Bins({"hour": [2.0], **{name: [1.0, 8.0, 30.0] for name in NAMES}})
    given = snapshot(*(order(days) for days in (90, 61, 30, 29.9, 12, 3.2)))
    assert with_numbers(told(given), given.features, bins) == render(given, bins)
    assert "[story.gap_1=2]" in render(given, bins)


def test_what_a_customer_types_is_no_order() -> None:
    """Unless she types a comma and the story's own way of telling: it is then her own numbers that are off."""
    searched = Moment(NOW, Behaviour.SEARCH, words="3d bought milk")
    assert rhythm(told(snapshot(order(9), searched))) == rhythm(told(snapshot(order(9))))


def test_no_number_is_a_registered_feature_and_each_has_a_meaning() -> None:
    assert not set(NAMES) & set(BY_NAME)
    assert all(features_of(name) == [] for name in NAMES)
    assert len({meaning(name) for name in NAMES}) == len(NAMES)
