"""Reviews through the engine: what is told of them, what is learned of them later, and bad input in them."""

import pytest

from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Snapshot, encode
from stream.features.codec import decode_profile, encode_profile
from stream.features.engine import REVIEW_CHARACTERS, Engine
from tests.unit.stream.features.test_engine import MINUTE, T0, Shop


def reviewed(shop: Shop, text: str, rating: float = 1.0) -> Snapshot:
    (snapshot,) = (r for r in shop.send(Behaviour.REVIEW, T0, text=text, rating=rating) if isinstance(r, Snapshot))
    return snapshot


def restored(engine: Engine) -> Engine:
    other = Engine(engine.config)
    for _, profile in engine.flush():
        assert profile is not None
        other.restore(decode_profile(encode_profile(profile)))
    return other


def test_a_review_is_told_with_its_own_words_and_other_triggers_without() -> None:
    shop = Shop()
    snapshot = reviewed(shop, "Broke after two days.")
    assert snapshot.review is not None
    assert (snapshot.review.at, snapshot.review.text) == (T0, "Broke after two days.")
    ordered = shop.send(Behaviour.ORDER, T0 + MINUTE, order=1, amount=100)
    assert [r.review for r in ordered if isinstance(r, Snapshot)] == [None]


def test_what_a_review_says_is_known_once_it_was_read() -> None:
    shop = Shop()
    review = reviewed(shop, "Broke after two days.").review
    assert review is not None
    (profile,) = shop.engine.profiles.values()
    before = encode_profile(profile), shop.engine.due("c")
    for _ in range(2):  # Also after a crash.
        assert shop.send(Behaviour.REVIEW_SCORED, T0, message=review.message, rating=0.125) == []
    shop.engine = restored(shop.engine)
    assert shop.engine.repeated == 0
    (snapshot,) = (r for r in shop.send(Behaviour.ORDER, T0 + MINUTE, order=1, amount=1) if isinstance(r, Snapshot))
    assert (snapshot.features["sentiment_last"], snapshot.features["sentiment_mean"]) == (0.125, 0.125)
    assert snapshot.features["events_90d"] == 2
    assert [moment.behaviour for moment in snapshot.story] == [Behaviour.REVIEW, Behaviour.ORDER]
    profile.sentiments, profile.applied = [], {}
    assert (encode_profile(profile), before[1]) == (before[0], T0 + 30 * MINUTE)


def test_it_may_be_known_years_later_and_moves_no_timer() -> None:
    shop = Shop()
    review = reviewed(shop, "fine").review
    assert review is not None
    shop.engine.advance(T0 + 100 * DAY_MS, T0)
    due = shop.engine.due("c")
    event = shop.event(Behaviour.REVIEW_SCORED, T0, message=review.message, rating=0.9)
    assert shop.engine.apply(event, 0, shop.offset, T0 + 100 * DAY_MS) == []
    assert (shop.engine.due("c"), shop.engine.late, shop.engine.unverifiable) == (due, 0, 0)
    assert [one.content for one in shop.engine.profiles["c"].sentiments] == [0.9]


def test_nobody_comes_back_because_a_review_of_hers_was_read() -> None:
    shop = Shop()
    shop.send(Behaviour.REVIEW_SCORED, T0, customer="erased", rating=0.5)
    assert len(shop.engine) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 100_000,
        "bad\x00\x1b[31m\x7f\u0085 shoes",
        "\N{PILE OF POO}" * 3,
        "\u202e\u05d2\u05e8\u05d5\u05e2 \u0633\u064a\u0626",
        "\u8d28\u91cf\u592a\u5dee, never again",
    ],
)
def test_any_text_is_told_and_bounded(text: str) -> None:
    snapshot = reviewed(Shop(), text)
    assert snapshot.review is not None
    assert snapshot.review.text == text[:REVIEW_CHARACTERS]
    assert len(encode(snapshot)) < 20_000
