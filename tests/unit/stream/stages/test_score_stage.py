"""One partition of the score stage: who is asked when snapshots have waited for too long."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import pytest

from inference.model import SHIPPED, Model
from inference.scorer import Unavailable
from online.ensemble import FIRST
from online.learners.blend import RENEWAL
from online.reasons import PAST
from online.said import MONITOR, Said, decode_said, encode_said
from online.uplift import Arm, Trial
from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.features import DAY_MS
from schemas.outputs import (
    Alert,
    Interaction,
    Moment,
    Outcome,
    Parts,
    Recommendation,
    Review,
    Score,
    Snapshot,
    encode,
    make_id,
)
from schemas.topics import ALERTS, CLICKSTREAM, INTERACTIONS, RECOMMENDATIONS, SCORES
from stream import metrics
from stream.kafka.partitioner import home
from stream.kafka.state import Held
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.asking import Answer, Version
from stream.stages.models import Models, combine
from stream.stages.score import Asked, ScorePartition
from tests.unit.stream.stages.conftest import Outputs

NOW = 1_700_000_000.0
ANSWER = Parts(churn=0.25, intent=0.75)


class Bert:
    """Answers as `says` does, by default the same for every text, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.read: list[str] = []
        self.fails = ""
        self.says: Callable[[str], Parts] = lambda _: ANSWER
        self.pause: Callable[[], Awaitable[None]] = partial(asyncio.sleep, 0)
        self.version = "test"

    async def score(self, texts: Sequence[str]) -> list[Parts]:
        self.asked += len(texts)
        await self.pause()
        return [self.says(text) for text in texts]

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


def partition_of(bert: Bert, **settings: Any) -> ScorePartition:
    models = Models(Settings(**settings))
    models.bert.use(Version("bert", Model.load(), bert))
    models.ready.set()
    return ScorePartition(models, lambda: NOW)


@pytest.fixture
def partition(bert: Bert) -> ScorePartition:
    """A partition that asks for no reasons."""
    return partition_of(bert, score_explain_s=0)


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


async def test_a_list_goes_out_and_is_told_among_what_she_does(
    partition: ScorePartition, run: Callable[..., Run], out: Outputs
) -> None:
    index = partition._models.items.index
    for n in range(9):
        index.learn_one(
            Interaction(customer=f"b{n}", session=1, item=f"i{n % 3}", behaviour=Behaviour.VIEW, at=int(NOW * 1000))
        )
    await partition.process(run(snapshot(1, 0.1)), out)
    (sent,) = [msgspec.json.decode(one.value or b"", type=Recommendation) for one in out.on(RECOMMENDATIONS.name)]
    (one,) = out.on(INTERACTIONS.name)
    told = msgspec.json.decode(one.value or b"", type=Interaction)
    assert (one.key, told.customer, told.at) == (b"c1", "c1", sent.at)
    assert told.shown is not None
    assert (told.shown.decision_id, told.shown.lead) == (sent.decision_id, sent.lead)
    assert told.shown.items == [ranked.item for ranked in sent.items]
    index.learn_one(told)
    assert len(index.lists) == 1


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


def eager(number: int, waited: float = 0.1, history_s: float = 0.0) -> bytes:
    """A customer whose alert says that she is about to buy: because of what she did an hour ago, in BERT's eyes."""
    at = int((NOW - waited - history_s) * 1000)
    return encode(
        Snapshot(
            id=f"e{number}",
            customer=f"c{number}",
            at=at,
            trigger="engaged",
            arrived=int((NOW - waited) * 1000),
            features={"orders_total": 3.0, "hour": 9.0},
            story=[
                Moment(at - 3 * 86_400_000, Behaviour.ORDER, category="milk"),
                Moment(at - 2 * 3_600_000, Behaviour.VIEW, category="running shoes"),
            ],
        )
    )


def told(text: str) -> Parts:
    return Parts(churn=0.1, intent=0.9 if "running shoes" in text else 0.4)


def alerts(out: Outputs) -> list[Alert]:
    return [msgspec.json.decode(sent.value or b"", type=Alert) for sent in out.on(ALERTS.name)]


async def test_an_alert_is_explained_by_what_moved_the_served_score(
    bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    bert.says = told
    partition = partition_of(bert, score_explain_s=30)
    await partition.process(run(snapshot(1, 0.1), eager(2)), out)
    (alert,) = alerts(out)
    reason = alert.reasons[0]
    assert (reason.feature, reason.words) == ("story:0", "viewed running shoes 2 hours ago")
    assert reason.words_zh == "2\u5c0f\u65f6\u524d\u6d4f\u89c8\u4e86running shoes"
    assert reason.weight == pytest.approx(FIRST * (math.log(9) - math.log(0.4 / 0.6)))
    # The score tells the same reasons, those that alarm nobody too; only what led to an alert was asked about.
    assert [score.reasons["intent"][:1] == [reason] for score in scores(out)] == [False, True]
    assert 2 < bert.asked <= 26


@pytest.mark.parametrize("late", [{"waited": 0.2}, {"history_s": 86_400.0}])
async def test_there_is_no_time_to_explain_what_waited_or_is_history(
    bert: Bert, run: Callable[..., Run], out: Outputs, late: dict[str, float]
) -> None:
    bert.says = told
    await partition_of(bert, score_explain_s=30).process(run(eager(1, **late)), out)
    assert len(alerts(out)) == 1
    assert bert.asked == 1


async def test_an_alert_names_her_past_by_the_online_model_s_share(
    bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    bert.says = told
    partition = partition_of(bert, score_explain_s=30)
    case = msgspec.json.decode(eager(2), type=Snapshot)
    weekly = [Moment(case.at - (2 + 7 * n) * DAY_MS, Behaviour.ORDER) for n in reversed(range(12))]
    with_past = msgspec.structs.replace(case, story=[*weekly, *case.story[-1:]])
    score = combine(with_past, Answer("", SHIPPED.name, None), partition._models)
    (hers,) = (why for why in score.reasons["intent"] if why.feature == PAST)
    await partition.process(run(encode(with_past)), out)
    (alert,) = alerts(out)
    (why,) = (why for why in alert.reasons if why.feature == PAST)
    assert why.weight == pytest.approx((1.0 - FIRST) * hers.weight)
    assert (why.words, why.words_zh) == (hers.words, hers.words_zh)


async def test_no_alert_waits_longer_for_its_reasons_than_it_may(
    bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    bert.says = told
    partition = partition_of(bert, score_explain_s=0.05)
    await partition.process(run(snapshot(1, 0.1)), out)
    bert.pause = asyncio.Event().wait  # type: ignore[assignment]
    partition._models.bert.pace.answered(10_000, 1.0)
    (case,) = (msgspec.json.decode(eager(2), type=Snapshot) for _ in range(1))
    score = combine(case, Answer("", SHIPPED.name, told("running shoes")), partition._models)
    began = time.perf_counter()
    decided = partition._decide([Asked(case, 0, None)], [score])
    assert await partition._explain(decided) == {}
    assert 0.04 < time.perf_counter() - began < 5.0
    assert len(decided[0].alerts) == 1


def test_a_score_says_what_followed_like_moments_of_her_past(bert: Bert) -> None:
    """Who has ordered every week orders within the week, whatever is known of others."""
    models = partition_of(bert)._models
    now = int(NOW * 1000)
    told_of = {
        "weekly": [Moment(now - (2 + 7 * n) * DAY_MS, Behaviour.ORDER) for n in reversed(range(12))],
        "viewer": [Moment(now - (2 + 7 * n) * DAY_MS, Behaviour.VIEW) for n in reversed(range(12))],
    }
    scores = {
        name: combine(
            Snapshot(id=name, customer=name, at=now, trigger="cart", arrived=now, features={}, story=story),
            Answer("", SHIPPED.name, None),
            models,
        )
        for name, story in told_of.items()
    }
    said = scores["weekly"].learners
    assert said["intent"][RENEWAL] > 0.7 > 0.3 > said["churn"][RENEWAL]
    assert all(RENEWAL not in others for others in scores["viewer"].learners.values())
    assert scores["weekly"].intent > scores["viewer"].intent
    assert scores["weekly"].churn < scores["viewer"].churn
    (hers,) = (why for why in scores["weekly"].reasons["intent"] if why.feature == PAST)
    assert hers.weight > 0.0
    assert all(why.feature != PAST for why in scores["viewer"].reasons["intent"])


async def test_a_slow_bert_is_asked_for_less(bert: Bert) -> None:
    bert.says = told
    partition = partition_of(bert, score_explain_s=1.0)
    models = partition._models
    case = msgspec.json.decode(eager(2), type=Snapshot)
    decided = partition._decide(
        [Asked(case, 0, None)], [combine(case, Answer("", SHIPPED.name, told("running shoes")), models)]
    )
    asked = []
    for rate in (1_000, 20, 5):
        models.bert.pace.failed()
        models.bert.pace.answered(rate, 1.0)
        before = bert.asked
        await partition._explain(decided)
        asked.append(bert.asked - before)
    assert asked[0] > asked[1] > asked[2] == 0
    assert asked[1] <= 12


def outcome(customer: str, what: str, channel: str = "email") -> bytes:
    return encode(Outcome(customer=customer, at=1, what=what, channel=channel))


async def test_who_unsubscribes_is_remembered_and_what_is_no_outcome_stops_nobody(
    partition: ScorePartition, run: Callable[..., Run], out: Outputs
) -> None:
    told = [outcome("c1", "unsubscribed"), b"{", b'{"customer": 7}', None, outcome("c2", "delivered"), b"[]"]
    await partition.process(run(*told, outcome("c1", "unsubscribed", "phone"), topic="shop-outcomes"), out)
    stored = dict(partition.changes())
    assert list(stored) == [b"c1"]
    assert decode_said(stored[b"c1"] or b"").refused == ["email", "phone"]
    assert out.sent == []
    await partition.process(run(*told, topic="shop-outcomes"), out)
    assert dict(partition.changes()) == {}, "the same again changes nothing"
    await partition.process(run(outcome("c1", "subscribed", ""), topic="shop-outcomes"), out)
    assert decode_said(dict(partition.changes())[b"c1"] or b"").refused == []


async def test_an_outcome_on_another_partition_is_sent_home(run: Callable[..., Run], out: Outputs) -> None:
    customers = [f"c{n}" for n in range(20)]
    partition = ScorePartition(Models(Settings()), number=1, partitions=4)
    await partition.process(run(*(outcome(one, "unsubscribed") for one in customers), topic="outcomes"), out)
    here = {key.decode() for key, _ in partition.changes()}
    assert here == {one for one in customers if home(one, 4) == 1}
    assert {sent.key.decode(): sent.partition for sent in out.on("outcomes") if sent.key} == {
        one: home(one, 4) for one in customers if one not in here
    }


def test_what_alerts_change_is_measured_also_after_a_restart(partition: ScorePartition) -> None:
    trial = Trial(treated=Arm(3, 2), holdout=Arm(1, 0))
    for customer in ("c1", "c2"):
        partition.restore(customer.encode(), encode_said(Said(trials={"churn_risk": trial})))
    partition.restore(b"c2", None)
    list(partition.changes())
    values = {
        (sample.labels["arm"], metric): sample.value
        for metric, gauge in (("windows", metrics.EFFECT_WINDOWS), ("bought", metrics.EFFECT_BOUGHT))
        for sample in next(iter(gauge.collect())).samples
        if sample.labels["kind"] == "churn_risk"
    }
    assert values == {
        ("treatment", "windows"): 3, ("treatment", "bought"): 2, ("holdout", "windows"): 1, ("holdout", "bought"): 0
    }  # fmt: skip


async def test_a_budget_is_kept_also_after_a_restart_and_what_is_held_back_is_counted(
    bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    bert.says = told
    budget: dict[str, Any] = {"score_explain_s": 0, "holdout_share": 0.0, "alert_budget": {"high_intent": 2}}
    partition = partition_of(bert, **budget)
    spent = metrics.HELD_BACK.labels("high_intent", "spent")
    before = spent._value.get()
    await partition.process(run(*(eager(n) for n in range(3))), out)
    assert [alert.customer for alert in alerts(out)] == ["c0", "c1"]
    stored = dict(partition.changes())
    assert spent._value.get() == before + 1
    again = partition_of(bert, **budget)
    for key, value in stored.items():
        again.restore(key, value)
    await again.process(run(eager(3)), out)
    assert [alert.customer for alert in alerts(out)] == ["c0", "c1"]


async def test_the_monitor_of_shifts_survives_a_restart_of_who_has_the_first_partition(
    bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    first = partition_of(bert, score_explain_s=0)
    await first.process(run(*(snapshot(n, 0.1) for n in range(5))), out)
    stored = dict(first.changes())
    assert MONITOR in stored
    assert MONITOR not in dict(first.changes()), "it is not written at every barrier"
    second = ScorePartition(first._models, lambda: NOW, number=1, partitions=2)
    assert dict(second.changes()) == {}
    again = partition_of(bert, score_explain_s=0)
    for key, value in stored.items():
        again.restore(key, value)
    assert again._models.shifts.dump() == first._models.shifts.dump()
    # A worker that has seen more keeps to what it has seen, and what is broken stops nobody.
    await first.process(run(snapshot(9, 0.1)), out)
    known = first._models.shifts.dump()
    for broken in (stored[MONITOR], b"", None):
        first.restore(MONITOR, broken)
        assert first._models.shifts.dump() == known


async def test_lists_wait_while_alerts_are_late_and_hold_their_runs(
    bert: Bert, run: Callable[..., Run], out: Outputs
) -> None:
    partition = partition_of(bert, score_explain_s=0)
    for n in range(8):
        viewed = Interaction(customer="v", session=1, item=f"item-{n}", behaviour=Behaviour.VIEW, at=n)
        partition._models.items.index.learn_one(viewed)
    await partition.process(run(snapshot(1, 0.1), first=7, topic="features"), out)
    assert len(out.on(RECOMMENDATIONS.name)) == 1
    assert partition.waiting() == {}
    late = run(*(snapshot(n, 5.0) for n in range(2, 5)), snapshot(5, 60.0), first=8, topic="features")
    await partition.process(late, out)
    assert [score.fallback for score in scores(out)] == [""] + ["behind"] * 4
    assert len(out.on(RECOMMENDATIONS.name)) == 1
    assert partition.waiting() == {"features": Held(4, 8)}
    assert partition.release(out) is False
    assert partition.waiting() == {"features": Held(4, 8)}, "more may be late"
    partition._now = lambda: NOW + 1.0
    while partition.waiting():
        before = partition.waiting()["features"]
        assert partition.release(out) is False, "the next run is more urgent"
        assert partition.waiting().get("features", Held(0, 99)).first > before.first
    # The last one's customer has gone on by now.
    assert [sent.key for sent in out.on(RECOMMENDATIONS.name)] == [b"c1", b"c2", b"c3", b"c4"]
