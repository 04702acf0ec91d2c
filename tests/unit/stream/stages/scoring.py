"""A partition of the score stage with a BERT that says what a test wants, and what comes out of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from inference.model import Model
from inference.scorer import Unavailable
from schemas.behaviours import Behaviour
from schemas.outputs import (
    Alert,
    Moment,
    Parts,
    Score,
    Snapshot,
    encode,
)
from schemas.topics import ALERTS, SCORES
from stream.settings import Settings
from stream.stages.asking import Version
from stream.stages.models import Models
from stream.stages.score import ScorePartition

if TYPE_CHECKING:
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


def partition_of(bert: Bert, **settings: Any) -> ScorePartition:
    models = Models(Settings(**settings))
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


def scores(out: "Outputs") -> list[Score]:
    return [msgspec.json.decode(sent.value or b"", type=Score) for sent in out.on(SCORES.name)]


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


def alerts(out: "Outputs") -> list[Alert]:
    return [msgspec.json.decode(sent.value or b"", type=Alert) for sent in out.on(ALERTS.name)]
