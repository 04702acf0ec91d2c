"""What training reads: the live text, of one story in five fewer behaviours, of which the numbers know no more."""

from inference.bins import Bins
from inference.rhythm import NAMES
from inference.story import render
from inference.train.examples import Row
from inference.train.text import CUT, SHORT, cut, numbers, text
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Moment, Snapshot

BINS = Bins({"hour": [2.0], **{name: [1.0, 8.0] for name in NAMES}})


def row(number: int) -> Row:
    at = 400 * DAY_MS
    story = [Moment(at - days * DAY_MS, Behaviour.ORDER, category=f"c{days}") for days in range(20, 0, -1)]
    return Row(
        Snapshot(id=f"s{number}", customer="ann", at=at, trigger="", arrived=at, features={"hour": 3.0}, story=story)
    )


def test_what_is_measured_reads_as_it_does_live() -> None:
    given = row(1)
    assert given.snapshot is not None
    assert text(given, BINS) == render(given.snapshot, BINS)
    assert numbers(given)["story.ago_2"] == 2.0
    assert numbers(Row(None, "很好")) == {}
    assert text(Row(None, "Fine [x]"), BINS) == cut(Row(None, "Fine [x]"), BINS) == "fine (x)"


def test_one_story_in_five_is_cut_short_and_always_the_same() -> None:
    rows = [row(n) for n in range(1000)]
    whole = [text(one, BINS) for one in rows]
    read = [cut(one, BINS) for one in rows]
    assert read == [cut(one, BINS) for one in rows]
    shorter = [one for one, all_of_it in zip(read, whole, strict=True) if one != all_of_it]
    assert 0.8 < len(shorter) * CUT / 1000 < 1.2
    orders = {one.count("bought") for one in shorter}
    assert orders == set(range(SHORT))
    assert all(("[story.ago_2=none]" in one) == (one.count("bought") < 2) for one in shorter)


def test_words_that_were_kept_are_read_whole() -> None:
    rows = [Row(one.snapshot, "3d bought milk, 9d bought tea") for one in map(row, range(50))]
    assert [cut(one, BINS) for one in rows] == [text(one, BINS) for one in rows]
