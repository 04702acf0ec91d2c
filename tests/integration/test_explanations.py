"""The shipped BERT's reasons on the real Triton: they are its reasons, and an alert gets them in time."""

import time
from collections.abc import AsyncIterator
from itertools import islice

import pytest
import pytest_asyncio

from deploy.evaluate.asked import Asked
from deploy.evaluate.explanations import judged, snapshots
from inference.model import Model
from inference.triton import TritonScorer
from online.learner import TARGETS
from schemas.outputs import Snapshot
from stream.settings import Settings

pytestmark = pytest.mark.integration

ASKED = Asked("explanations", "completejourney", quiet=True)
CASES = 10


@pytest.fixture(scope="module")
def cases() -> list[Snapshot]:
    """Households of Complete Journey after six weeks, each with a past of some length."""
    return [one for one in islice(snapshots(ASKED, 20_000, first_day=40), 400) if len(one.story) > 3][:CASES]


@pytest_asyncio.fixture
async def scorer(triton: Settings) -> AsyncIterator[TritonScorer]:
    client = TritonScorer(triton.triton_url, Model.load(), deadline_s=60.0)
    yield client
    await client.close()


async def test_without_its_top_reasons_a_score_falls_further_than_without_others(
    scorer: TritonScorer, cases: list[Snapshot]
) -> None:
    began = time.perf_counter()
    found = await judged(cases, scorer._model, scorer, ASKED)
    assert found["cases"] == CASES
    assert found["texts"] <= 24
    for target in TARGETS:
        assert found[target]["comprehensiveness"] > 0.2
        assert found[target]["sufficiency"] > 0.2
    assert found["ms"]["p50"] < 1000 * (time.perf_counter() - began) / CASES
