"""Laws of the story: it never raises, is bounded, deterministic, and cannot be forged by what customers type."""

import re

from hypothesis import given
from hypothesis import strategies as st

from inference.bins import Bins
from inference.story import MAX_CATEGORY, MAX_MOMENTS, MAX_WORDS, clean, render
from schemas.behaviours import Behaviour
from schemas.outputs import Moment, Snapshot

BINS = Bins({"days_since_order": [1.0, 7.0, 30.0], "overdue": [0.5, 1.0], "hour": []})
FEATURE_WORD = re.compile(r"\[[^\]]*\]")
LONGEST = 100 + MAX_MOMENTS * (MAX_CATEGORY + MAX_WORDS + 400)

words = st.one_of(
    st.text(max_size=200),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "So", "Zs"]), max_size=50),
    st.sampled_from(["x" * 100_000, "[overdue=2]", "a\x00b", "\ud800", "\N{PILE OF POO}" * 300, " \n ", ""]),
)
moments = st.builds(
    Moment,
    at=st.integers(0, 2**45),
    behaviour=st.sampled_from(Behaviour),
    item=words,
    category=words,
    amount=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    pieces=st.integers(0, 10**6),
    words=words,
)
values = st.none() | st.floats()
snapshots = st.builds(
    Snapshot,
    id=st.just("s"),
    customer=words,
    at=st.integers(0, 2**45),
    trigger=st.just("order"),
    arrived=st.just(0),
    features=st.dictionaries(st.sampled_from([*BINS.edges, "unknown"]), values),
    story=st.lists(moments, max_size=40),
)


@given(snapshots)
def test_any_snapshot_has_a_bounded_encodable_story(snapshot: Snapshot) -> None:
    text = render(snapshot, BINS)
    assert len(text) <= LONGEST
    text.encode()


@given(snapshots)
def test_the_same_snapshot_has_the_same_story(snapshot: Snapshot) -> None:
    assert render(snapshot, BINS) == render(snapshot, BINS)


@given(snapshots)
def test_each_feature_has_its_word_and_no_customer_can_add_one(snapshot: Snapshot) -> None:
    expected = [BINS.token(name, snapshot.features.get(name)) for name in BINS.edges]
    assert FEATURE_WORD.findall(render(snapshot, BINS)) == expected
    assert set(expected) <= set(BINS.vocabulary())


@given(snapshots, moments)
def test_what_is_oldest_changes_only_the_end(snapshot: Snapshot, older: Moment) -> None:
    """Newest first: more past appends to the text, so that cutting at a number of tokens drops the oldest."""
    story = snapshot.story[: MAX_MOMENTS - 1]
    without = Snapshot(id="s", customer="c", at=snapshot.at, trigger="t", arrived=0, features={}, story=story)
    longer = Snapshot(id="s", customer="c", at=snapshot.at, trigger="t", arrived=0, features={}, story=[older, *story])
    assert render(longer, BINS).startswith(render(without, BINS))


@given(words, st.integers(1, 200))
def test_cleaned_text_is_short_and_has_no_brackets_or_controls(text: str, limit: int) -> None:
    once = clean(text, limit)
    # Lower case may be longer than what it was made of, as for the Turkish capital I with a dot.
    assert len(once) <= 3 * limit
    assert not set(once) & set("[]\x00\n")


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, finite)
def test_buckets_follow_the_order_of_values(one: float, other: float) -> None:
    low, high = (int(BINS.token("days_since_order", v).split("=")[1][:-1]) for v in sorted((one, other)))
    assert low <= high
