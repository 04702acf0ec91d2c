"""Reasons in the score stage: what explains an alert, and how long one waits for that."""

import asyncio
import math
import time
from collections.abc import Callable

import msgspec
import pytest

from inference.model import SHIPPED
from online.ensemble import FIRST
from online.learners.blend import RENEWAL
from online.reasons import PAST
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import (
    Moment,
    Snapshot,
    encode,
)
from stream.kafka.transport import Run
from stream.stages.asking import Answer
from stream.stages.models import combine
from stream.stages.score import Asked
from tests.unit.stream.stages.conftest import Outputs
from tests.unit.stream.stages.scoring import NOW, Bert, alerts, eager, partition_of, scores, snapshot, told


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
