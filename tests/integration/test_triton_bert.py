"""The shipped BERT on the real Triton: what it answers, in company and alone, and how it comes back when it dies."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import psutil
import pytest
import pytest_asyncio

from inference.model import SHIPPED, Model
from inference.scorer import Breaker, State, Unavailable
from inference.triton import TritonScorer
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Moment, Snapshot
from stream.settings import Settings

pytestmark = pytest.mark.integration

NOW = 1_700_000_000_000


def shopper(since: float, gap: float, orders: int) -> Snapshot:
    """A customer who bought every `gap` days, last `since` days ago."""
    ago = [since + n * gap for n in range(orders)]
    counts = {"orders_7d": 7, "orders_30d": 30, "orders_90d": 91, "events_7d": 7, "events_30d": 30, "events_90d": 91}
    return Snapshot(
        id="s",
        customer="ann",
        at=NOW,
        trigger="order",
        arrived=NOW,
        features={
            "days_since_order": since,
            "days_since_event": since,
            "gap_mean_days": gap,
            "gap_std_days": gap / 2,
            "overdue": since / gap,
            "active_days_7d": sum(day < 7 for day in ago),
            "active_days_30d": sum(day < 30 for day in ago),
            "spend_90d": 25.0 * sum(day < 91 for day in ago),
            "spend_30d": 25.0 * sum(day < 30 for day in ago),
            "items_30d": 6.0 * sum(day < 30 for day in ago),
            "items_90d": 6.0 * sum(day < 91 for day in ago),
            **{name: sum(day < days for day in ago) for name, days in counts.items()},
        },
        story=[
            Moment(NOW - round(day * DAY_MS), Behaviour.ORDER, category="SOFT DRINKS", amount=25.0, pieces=6)
            for day in reversed(ago[:20])
        ],
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load()


@pytest_asyncio.fixture
async def scorer(triton: Settings, model: Model) -> AsyncIterator[TritonScorer]:
    breaker = Breaker(time.monotonic, failures=1, pause_s=0.2, longest_s=1.0)
    client = TritonScorer(triton.triton_url, model, deadline_s=30.0, breaker=breaker)
    yield client
    await client.close()


async def test_the_loyal_stay_and_the_lapsed_are_gone(scorer: TritonScorer, model: Model) -> None:
    loyal, lapsed = await scorer.score([model.text(shopper(1, 3, 30)), model.text(shopper(80, 30, 3))])
    assert loyal.churn < 0.1 < 0.4 < lapsed.churn
    assert lapsed.intent < 0.4 < 0.7 < loyal.intent
    assert scorer.version == model.version == SHIPPED.name


async def test_company_changes_little(scorer: TritonScorer, model: Model) -> None:
    """Texts of all lengths, sent at once and from many callers, answer as they do alone (int8 rounds by the batch)."""
    texts = [model.text(shopper(1 + 5 * n, 1 + n, 1 + n)) for n in range(20)]
    alone = [(await scorer.score([text]))[0] for text in texts]
    together = await scorer.score(texts)
    crowd = await asyncio.gather(*(scorer.score([text]) for text in texts))
    for one, other in [*zip(alone, together, strict=True), *zip(alone, (answer[0] for answer in crowd), strict=True)]:
        assert one.churn == pytest.approx(other.churn, abs=0.1)
        assert one.intent == pytest.approx(other.intent, abs=0.1)


async def test_no_story_and_an_endless_one_are_answered(scorer: TritonScorer) -> None:
    parts = await scorer.score(["", "\N{PILE OF POO}" * 100_000, "x" * 100_000])
    assert all(0 <= part.churn <= 1 and 0 <= part.intent <= 1 for part in parts)


async def until(condition: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


def running(name: str) -> set[int]:
    """The processes of this test's stack whose names begin so."""
    return {process.pid for process in psutil.Process().children(recursive=True) if process.name().startswith(name)}


async def until_refused(scorer: TritonScorer, texts: list[str]) -> None:
    async with asyncio.timeout(60):
        with contextlib.suppress(Unavailable):
            while True:
                await scorer.score(texts)


async def test_a_dead_model_process_is_noticed_under_load_and_mended(scorer: TritonScorer, model: Model) -> None:
    """The stack loads a model whose canary fails anew, in the server that runs; the breaker's own canary closes it."""
    texts = [model.text(shopper(1, 3, 9))]
    before = await scorer.score(texts)
    servers = running("tritonserver")
    callers = [asyncio.create_task(until_refused(scorer, texts)) for _ in range(4)]
    for pid in running("triton_python"):
        psutil.Process(pid).kill()
    await asyncio.gather(*callers)
    assert not scorer.breaker.allows()
    await until(lambda: scorer.breaker.state is State.CLOSED, 120)
    assert await scorer.score(texts) == before
    assert running("tritonserver") == servers
