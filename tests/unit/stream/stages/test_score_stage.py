"""One partition of the score stage: who is asked when snapshots have waited for too long."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from schemas.outputs import Parts, Score, Snapshot, encode
from schemas.topics import SCORES
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.score import Models, ScorePartition
from tests.unit.stream.stages.conftest import Outputs

NOW = 1_700_000_000.0
ANSWER = Parts(churn=0.25, intent=0.75)


class Bert:
    """Answers the same for every text, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.version = "test"

    async def score(self, texts: Sequence[str]) -> list[Parts]:
        self.asked += len(texts)
        return [ANSWER] * len(texts)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def bert() -> Bert:
    return Bert()


@pytest.fixture
def partition(bert: Bert) -> ScorePartition:
    models = Models(Settings())
    models.scorer = bert
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
