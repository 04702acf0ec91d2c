"""Reviews in the score stage: who reads them, and what is told of them."""

from collections.abc import Callable

import pytest

from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.outputs import (
    Review,
    Snapshot,
    encode,
    make_id,
)
from schemas.topics import CLICKSTREAM
from stream.kafka.transport import Run
from stream.stages.score import ScorePartition
from tests.unit.stream.stages.conftest import Outputs
from tests.unit.stream.stages.scoring import NOW, Bert, alerts, partition_of, scores, snapshot


def reviewed(number: int, text: str, waited: float = 0.1, stars: float = 5.0) -> bytes:
    at = int((NOW - waited) * 1000)
    return encode(
        Snapshot(
            id=f"r{number}",
            customer=f"c{number}",
            at=at,
            trigger="review",
            arrived=at,
            features={"orders_total": 3.0, "rating_last": stars},
            story=[],
            review=Review(message=number, at=at - 5, text=text),
        )
    )


async def test_a_review_is_read_told_to_the_profile_and_decides(
    partition: ScorePartition, run: Callable[..., Run], out: Outputs
) -> None:
    await partition.process(run(reviewed(1, "NEVER AGAIN"), reviewed(2, "lovely"), snapshot(3, 0.1)), out)
    assert [score.sentiment for score in scores(out)] == [round(1 / 11, 4), 1.0, None]
    events = [decode(sent.value, "USD") for sent in out.on(CLICKSTREAM.name)]
    assert [(event.behaviour, event.customer, event.known, event.at, event.rating) for event in events] == [
        (Behaviour.REVIEW_SCORED, "c1", False, int((NOW - 0.1) * 1000) - 5, round(1 / 11, 4)),
        (Behaviour.REVIEW_SCORED, "c2", False, int((NOW - 0.1) * 1000) - 5, 1.0),
    ]
    assert [sent.key for sent in out.on(CLICKSTREAM.name)] == [b"c1", b"c2"]
    (alert,) = (alert for alert in alerts(out) if alert.kind == "bad_review")
    assert (alert.customer, alert.reasons[0].value) == ("c1", round(1 / 11, 4))
    assert alert.text.startswith("This customer wrote a bitter review but gave 5 stars")


async def test_a_review_read_again_is_the_same_message(bert: Bert, run: Callable[..., Run], out: Outputs) -> None:
    for _ in range(2):
        # Killed in between, before anything had arrived.
        await partition_of(bert, score_explain_s=0).process(run(reviewed(1, "fine")), out)
    one, again = (decode(sent.value, "USD") for sent in out.on(CLICKSTREAM.name))
    assert (one.message, one.at) == (again.message, again.at)
    assert make_id("c1", "Review Scored", 1) in (out.on(CLICKSTREAM.name)[0].value or b"").decode()


@pytest.mark.parametrize("fails", ["no_sentiment", "breaker_open", "deadline_exceeded"])
async def test_a_review_that_nobody_reads_is_judged_by_its_stars(
    partition: ScorePartition, bert: Bert, run: Callable[..., Run], out: Outputs, fails: str
) -> None:
    bert.fails = fails
    await partition.process(run(reviewed(1, "BAD", stars=1.0), reviewed(2, "BAD")), out)
    assert [score.sentiment for score in scores(out)] == [None, None]
    assert out.on(CLICKSTREAM.name) == []
    assert [alert.customer for alert in alerts(out) if alert.kind == "bad_review"] == ["c1"]


@pytest.mark.parametrize("text", ["", "   ", "\x00\x1b\x7f", "\u202e\u200f"])
async def test_a_review_without_words_is_not_read(
    partition: ScorePartition, bert: Bert, run: Callable[..., Run], out: Outputs, text: str
) -> None:
    await partition.process(run(reviewed(1, text)), out)
    assert (bert.read, out.on(CLICKSTREAM.name)) == ([], [])


async def test_reviews_are_read_also_when_stories_are_not(
    partition: ScorePartition, run: Callable[..., Run], out: Outputs
) -> None:
    await partition.process(run(reviewed(1, "BAD", waited=5.0)), out)
    (score,) = scores(out)
    assert (score.fallback, score.sentiment) == ("behind", 0.0)
