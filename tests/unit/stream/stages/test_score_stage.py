"""One partition of the score stage: who is asked when snapshots have waited for too long."""

from collections.abc import Callable
from typing import Any

import msgspec

from inference.model import SHIPPED
from online.said import MONITOR, Said, decode_said, encode_said
from online.uplift import Arm, Trial
from schemas.behaviours import Behaviour
from schemas.outputs import (
    Interaction,
    Outcome,
    Recommendation,
    Snapshot,
    encode,
)
from schemas.topics import INTERACTIONS, RECOMMENDATIONS
from stream import metrics
from stream.kafka.partitioner import home
from stream.kafka.state import Held
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.asking import Answer
from stream.stages.models import Models, combine
from stream.stages.score import Asked, ScorePartition
from tests.unit.stream.stages.conftest import Outputs
from tests.unit.stream.stages.scoring import NOW, Bert, alerts, eager, partition_of, scores, snapshot, told


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
