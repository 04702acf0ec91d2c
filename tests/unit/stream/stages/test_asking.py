"""Who is asked: the serving version, the canary for its customers, the shadow when nothing else waits."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from inference import registry
from inference.model import Model
from inference.registry import Entry, Registry, chosen
from inference.scorer import Unavailable
from schemas.outputs import Parts, Score, Snapshot, encode
from schemas.topics import SCORES
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages import asking
from stream.stages.asking import Bert, Version
from stream.stages.models import Models
from stream.stages.score import ScorePartition
from tests.unit.stream.stages.conftest import Outputs

NOW = 1_700_000_000.0


class Scorer:
    """Answers `churn` for every text, or fails, or takes its time."""

    def __init__(self, churn: float) -> None:
        self.churn = churn
        self.fails = ""
        self.asked = 0
        self.takes_s = 0.0
        self.version = "test"

    async def score(self, texts: Sequence[str]) -> list[Parts]:
        self.asked += len(texts)
        await asyncio.sleep(self.takes_s)
        if self.fails:
            raise Unavailable(self.fails)
        return [Parts(churn=self.churn, intent=0.5)] * len(texts)

    async def score_reviews(self, texts: Sequence[str]) -> list[float]:
        raise Unavailable("no_sentiment", f"{len(texts)} reviews")


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load()


@pytest.fixture
def scorers() -> dict[str, Scorer]:
    return {"bert": Scorer(0.1), "bert-2": Scorer(0.2), "bert-3": Scorer(0.3)}


@pytest.fixture
def models(scorers: dict[str, Scorer], model: Model, tmp_path: Path) -> Models:
    models = Models(Settings(model_repository=tmp_path))
    for name, scorer in scorers.items():
        models.bert.use(Version(name, model, scorer))
    models.ready.set()
    return models


@pytest.fixture
def bert(models: Models) -> Bert:
    return models.bert


def snapshot(number: int, waited: float = 0.0, history_s: float = 0.0) -> Snapshot:
    at = round((NOW - waited) * 1000)
    return Snapshot(
        id=f"s{number}",
        customer=f"c{number}",
        at=round(at - history_s * 1000),
        trigger="cart",
        arrived=at,
        features={},
        story=[],
    )


async def test_the_canary_serves_its_share_of_the_customers(bert: Bert) -> None:
    bert.follow(Registry(serving="bert", canary="bert-2", canary_share=0.3))
    asked = [snapshot(number) for number in range(40)]
    answers = await bert.ask(asked)
    expected = [0.2 if chosen("bert-2", one.customer, 0.3) else 0.1 for one in asked]
    assert [answer.parts and answer.parts.churn for answer in answers] == expected
    assert 0 < expected.count(0.2) < 40


async def test_a_canary_that_does_not_answer_is_stood_in_for(bert: Bert, scorers: dict[str, Scorer]) -> None:
    bert.follow(Registry(serving="bert", canary="bert-2", canary_share=1.0))
    scorers["bert-2"].fails = "internal"
    answers = await bert.ask([snapshot(number) for number in range(5)])
    assert [(a.fallback, a.parts and a.parts.churn) for a in answers] == [("", 0.1)] * 5


async def test_without_an_answer_the_reason_is_told(bert: Bert, scorers: dict[str, Scorer]) -> None:
    bert.follow(Registry(serving="bert"))
    scorers["bert"].fails = "breaker_open"
    (answer,) = await bert.ask([snapshot(1)])
    assert (answer.parts, answer.fallback) == (None, "breaker_open")


def scores(out: Outputs) -> list[Score]:
    return [msgspec.json.decode(sent.value or b"", type=Score) for sent in out.on(SCORES.name)]


@pytest.mark.parametrize(
    ("waited", "history_s", "count", "shadowed"), [(0.0, 0.0, 3, True), (0.2, 0.0, 3, False), (0.0, 90_000.0, 3, False)]
)
async def test_the_shadow_is_asked_about_live_snapshots_while_nothing_waits(
    models: Models, run: Callable[..., Run], out: Outputs, waited: float, history_s: float, count: int, shadowed: bool
) -> None:
    models.bert.follow(Registry(serving="bert", shadow="bert-3"))
    partition = ScorePartition(models, lambda: NOW)
    await partition.process(run(*(encode(snapshot(n, waited, history_s)) for n in range(count))), out)
    found = scores(out)
    assert [score.bert and score.bert.churn for score in found] == [0.1] * count
    assert [score.shadow and score.shadow.churn for score in found] == [0.3 if shadowed else None] * count
    assert [("shadow" in score.models) for score in found] == [shadowed] * count


async def test_the_shadow_is_dropped_where_more_waits(
    models: Models, scorers: dict[str, Scorer], run: Callable[..., Run], out: Outputs
) -> None:
    """Twelve snapshots, four a call: only the last call, behind which nothing waits, has a shadow."""
    models.bert.follow(Registry(serving="bert", shadow="bert-3"))
    models.bert.pace.answered = lambda *_: None  # type: ignore[method-assign]
    await ScorePartition(models, lambda: NOW).process(run(*(encode(snapshot(n)) for n in range(12))), out)
    assert [score.shadow is not None for score in scores(out)] == [False] * 8 + [True] * 4
    assert scorers["bert"].asked == 12


@pytest.mark.parametrize("trouble", ["slow", "broken"])
async def test_a_shadow_that_is_slow_or_broken_costs_a_moment_and_no_score(
    models: Models,
    scorers: dict[str, Scorer],
    run: Callable[..., Run],
    out: Outputs,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "SHADOW_S", 0.02)
    models.bert.follow(Registry(serving="bert", shadow="bert-3"))
    scorers["bert-3"].takes_s, scorers["bert-3"].fails = (60.0, "") if trouble == "slow" else (0.0, "internal")
    async with asyncio.timeout(10):
        await ScorePartition(models, lambda: NOW).process(run(encode(snapshot(1))), out)
    (score,) = scores(out)
    assert (score.shadow, score.fallback, score.bert and score.bert.churn) == (None, "", 0.1)


async def test_a_version_that_cannot_be_had_leaves_the_others_to_work(tmp_path: Path) -> None:
    bert = Bert(Settings(model_repository=tmp_path))
    entry = Entry(name="bert-2", version="two", source="", at="")
    registry.write(tmp_path, Registry(shadow="bert-2", entries=(entry,)))
    await bert.open()
    assert (bert.serving.name, bert.shadow) == ("bert", None)
    registry.write(tmp_path, Registry(serving="bert-2", entries=(entry,)))
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(bert.watch())
        async with asyncio.timeout(10):
            while bert.refused == 0:
                await asyncio.sleep(0.01)
        watch.cancel()
    assert bert.serving.name == "bert"
    await bert.close()


async def test_nobody_waits_longer_than_there_is_time_nor_behind_who_does(
    models: Models, scorers: dict[str, Scorer]
) -> None:
    bert, scorer = models.bert, scorers[models.bert.serving.name]
    # Seconds that nobody waits for: whoever did would not be done within the test's time.
    scorer.takes_s = 3_600.0
    cases = [snapshot(n) for n in range(3)]
    assert [answer.fallback for answer in await bert.ask(cases, 0.01)] == [asking.SLOW] * 3
    assert scorer.asked == 3
    assert [answer.fallback for answer in await bert.ask(cases, 0.01)] == [asking.SLOW] * 3
    assert scorer.asked == 3, "what is asked meanwhile would only wait behind it"
    (overdue,) = bert._overdue
    overdue.cancel()
    await asyncio.wait({overdue})
    scorer.takes_s = 0.0
    assert [answer.fallback for answer in await bert.ask(cases, 30.0)] == [""] * 3


async def test_an_overdue_answer_still_tells_how_fast_bert_is(models: Models, scorers: dict[str, Scorer]) -> None:
    bert, scorer = models.bert, scorers[models.bert.serving.name]
    for _ in range(20):
        bert.pace.answered(1_000, 1.0)
    before = bert.pace.rate
    scorer.takes_s = 0.05
    case = snapshot(1)
    await bert.ask([case], 0.001)
    await asyncio.wait(set(bert._overdue))
    assert bert.pace.rate < before
    assert bert._overdue == set()
    scorer.fails = "unavailable"
    await bert.ask([case], 0.001)
    await asyncio.wait(set(bert._overdue))
    assert bert.pace.rate == 0.0
