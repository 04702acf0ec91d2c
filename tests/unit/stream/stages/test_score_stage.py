"""One partition of the score stage: who is asked when snapshots have waited for too long."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from inference.model import Model
from inference.scorer import Unavailable
from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.outputs import Alert, Parts, Review, Score, Snapshot, encode, make_id
from schemas.topics import ALERTS, CLICKSTREAM, SCORES
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.asking import Version
from stream.stages.score import Models, ScorePartition
from tests.unit.stream.stages.conftest import Outputs

NOW = 1_700_000_000.0
ANSWER = Parts(churn=0.25, intent=0.75)


class Bert:
    """Answers the same for every text, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.read: list[str] = []
        self.fails = ""
        self.version = "test"

    async def score(self, texts: Sequence[str]) -> list[Parts]:
        self.asked += len(texts)
        return [ANSWER] * len(texts)

    async def score_reviews(self, texts: Sequence[str]) -> list[float]:
        """The share of letters that are no capitals."""
        self.read += texts
        if self.fails:
            raise Unavailable(self.fails)
        return [sum(not c.isupper() for c in text) / len(text) for text in texts]

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def bert() -> Bert:
    return Bert()


@pytest.fixture
def partition(bert: Bert) -> ScorePartition:
    models = Models(Settings())
    models.bert.use(Version("bert", Model.load(), bert))
    models.ready.set()
    return ScorePartition(models, lambda: NOW)


def snapshot(number: int, waited: float, history_s: float = 0.0) -> bytes:
    arrived = NOW - waited
    return encode(
        Snapshot(
            id=f"s{number}",
            customer=f"c{number}",
            at=int((arrived - history_s) * 1000),
            trigger="cart",
            arrived=int(arrived * 1000),
            features={},
            story=[],
        )
    )


def scores(out: Outputs) -> list[Score]:
    return [msgspec.json.decode(sent.value or b"", type=Score) for sent in out.on(SCORES.name)]


async def test_what_waited_too_long_is_scored_without_bert_and_says_so(
    partition: ScorePartition, bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    await partition.process(run(*(snapshot(n, 5.0 if n < 10 else 0.1) for n in range(14))), out)
    found = scores(out)
    assert [score.id for score in found] == [f"s{n}" for n in range(14)]
    assert [score.fallback for score in found] == ["behind"] * 10 + [""] * 4
    assert [score.source for score in found] == ["online"] * 10 + ["ensemble"] * 4
    assert bert.asked == 4


async def test_replayed_history_waits_for_bert(
    partition: ScorePartition, bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    await partition.process(run(*(snapshot(n, 60.0, history_s=86_400) for n in range(6))), out)
    assert {score.source for score in scores(out)} == {"ensemble"}
    assert bert.asked == 6


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
    alerts = [msgspec.json.decode(sent.value or b"", type=Alert) for sent in out.on(ALERTS.name)]
    (alert,) = (alert for alert in alerts if alert.kind == "bad_review")
    assert (alert.customer, alert.reasons[0].value) == ("c1", round(1 / 11, 4))
    assert alert.text.startswith("This customer wrote a bitter review but gave 5 stars")


async def test_a_review_read_again_is_the_same_message(
    partition: ScorePartition, run: Callable[..., Run], out: Outputs
) -> None:
    await partition.process(run(reviewed(1, "fine")), out)
    await partition.process(run(reviewed(1, "fine")), out)
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
    kinds = [(sent.key, msgspec.json.decode(sent.value or b"", type=Alert).kind) for sent in out.on(ALERTS.name)]
    assert [key for key, kind in kinds if kind == "bad_review"] == [b"c1"]


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
