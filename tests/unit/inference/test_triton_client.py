"""The client against a gRPC server that answers as Triton does when it is well, full, broken, slow or odd."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import pytest_asyncio
from msgspec.structs import replace
from tritonclient.grpc import service_pb2, service_pb2_grpc

from inference.model import Model
from inference.scorer import Breaker, Scorer, State, Unavailable
from inference.triton import TritonScorer

Behave = Callable[..., Awaitable[None]]


class Server(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """Answers each text with its tokens / 100, / 200, … for each head; `behave` may abort the call first."""

    def __init__(self, identity: list[bytes]) -> None:
        self.identity = identity
        self.number = "1"
        self.shapes: list[tuple[int, int]] = []
        self.behave: Behave | None = None
        self.empty = False
        self.heads = 2

    async def ModelInfer(self, request: Any, context: Any) -> Any:
        """One inference."""
        if self.behave is not None:
            await self.behave(request, context)
        rows, longest = request.inputs[0].shape
        self.shapes.append((rows, longest))
        mask = np.frombuffer(request.raw_input_contents[1], np.int64).reshape(rows, longest)
        lengths = mask.sum(1)
        answer = np.stack([lengths / (100 * n) for n in range(1, self.heads + 1)], axis=1).astype(np.float32)
        response = service_pb2.ModelInferResponse(model_name="bert", model_version=self.number)
        if self.empty:
            answer = answer[:0]
        output = response.outputs.add(name="probabilities", datatype="FP32", shape=list(answer.shape))
        response.raw_output_contents.append(answer.tobytes())
        output = response.outputs.add(name="identity", datatype="BYTES", shape=[rows, len(self.identity)])
        assert output.name == "identity"
        packed = b"".join(len(part).to_bytes(4, "little") + part for part in self.identity) * rows
        response.raw_output_contents.append(packed)
        return response


@pytest.fixture
def model(folder: Path) -> Model:
    return Model.load(folder)


@pytest_asyncio.fixture
async def server(model: Model) -> AsyncIterator[tuple[Server, str]]:
    servicer = Server([b"tiny-bert", model.manifest.files["tokenizer.json"].encode(), b"churn,intent"])
    running = grpc.aio.server()
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, running)
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    yield servicer, f"127.0.0.1:{port}"
    await running.stop(None)


@pytest_asyncio.fixture
async def scorer(server: tuple[Server, str], model: Model) -> AsyncIterator[TritonScorer]:
    loop = asyncio.get_running_loop()
    breaker = Breaker(loop.time, failures=2, pause_s=0.05, longest_s=0.1)
    client = TritonScorer(server[1], model, deadline_s=2.0, batch=4, breaker=breaker)
    yield client
    await client.close()


def aborting(code: grpc.StatusCode, detail: str, times: int = 10**9) -> Behave:
    left = times

    async def behave(_: Any, context: Any) -> None:
        nonlocal left
        if left > 0:
            left -= 1
            await context.abort(code, detail)

    return behave


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_answers_keep_the_order_of_texts_and_batches_hold_like_lengths(
    server: tuple[Server, str], scorer: TritonScorer
) -> None:
    texts = ["milk " * n for n in (9, 1, 5, 2, 8, 3, 7)]
    parts = await scorer.score(texts)
    assert [round(p.churn * 100) for p in parts] == [n + 2 for n in (9, 1, 5, 2, 8, 3, 7)]
    assert [round(p.intent * 200) for p in parts] == [n + 2 for n in (9, 1, 5, 2, 8, 3, 7)]
    assert sorted(server[0].shapes) == [(3, 11), (4, 7)]


async def test_says_which_model_answers_and_notices_a_new_one(server: tuple[Server, str], scorer: TritonScorer) -> None:
    typed: Scorer = scorer
    assert typed.version == ""
    await scorer.score(["milk"])
    assert scorer.version == "tiny-bert"
    server[0].number, server[0].identity[0] = "2", b"better-bert"
    await scorer.score(["milk"])
    assert scorer.version == "better-bert"


async def test_a_model_of_four_heads_tells_the_value_and_reads_reviews(
    server: tuple[Server, str], model: Model
) -> None:
    heads = ("churn", "intent", "value", "sentiment")
    server[0].heads, server[0].identity[2] = 4, b"churn,intent,value,sentiment"
    scorer = TritonScorer(server[1], Model(replace(model.manifest, heads=heads), model.tokenizer))
    (part,) = await scorer.score(["milk " * 10])
    assert (part.churn, part.intent) == pytest.approx((0.12, 0.06))
    assert part.value == pytest.approx(math.expm1(0.04))
    assert await scorer.score_reviews(["milk [sad]\n", ""]) == pytest.approx([0.07 / 4, 0.02 / 4], abs=0.03 / 4)
    await scorer.close()


async def test_a_model_without_that_head_reads_no_reviews(scorer: TritonScorer) -> None:
    with pytest.raises(Unavailable) as caught:
        await scorer.score_reviews(["lovely"])
    assert caught.value.reason == "no_sentiment"
    assert scorer.breaker.state is State.CLOSED


async def test_a_model_of_other_heads_is_refused(server: tuple[Server, str], scorer: TritonScorer) -> None:
    server[0].identity[2] = b"intent,churn"
    with pytest.raises(Unavailable) as caught:
        await scorer.score(["milk"])
    assert caught.value.reason == "other_heads"


async def test_no_texts_ask_nothing(server: tuple[Server, str], scorer: TritonScorer) -> None:
    assert await scorer.score([]) == []
    assert server[0].shapes == []


@pytest.mark.parametrize(
    ("code", "detail", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connection refused", "unavailable"),
        (grpc.StatusCode.INTERNAL, "Stub process is not healthy", "internal"),
        (grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'bert' has no available versions", "not_found"),
    ],
)
async def test_a_broken_server_opens_the_breaker_and_a_canary_closes_it(
    server: tuple[Server, str], scorer: TritonScorer, code: grpc.StatusCode, detail: str, reason: str
) -> None:
    server[0].behave = aborting(code, detail)
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await scorer.score(["milk"])
        assert caught.value.reason == reason
    with pytest.raises(Unavailable) as caught:
        await scorer.score(["milk"])
    assert caught.value.reason == "breaker_open"
    server[0].behave = None
    await until(lambda: scorer.breaker.state is State.CLOSED)
    assert len(await scorer.score(["milk"])) == 1


async def test_the_callers_fault_never_opens_the_breaker(server: tuple[Server, str], scorer: TritonScorer) -> None:
    server[0].behave = aborting(grpc.StatusCode.INVALID_ARGUMENT, "unexpected shape")
    for _ in range(5):
        with pytest.raises(Unavailable) as caught:
            await scorer.score(["milk"])
        assert caught.value.reason == "invalid_argument"
    assert scorer.breaker.state is State.CLOSED


async def test_a_full_queue_is_waited_for(server: tuple[Server, str], scorer: TritonScorer) -> None:
    server[0].behave = aborting(grpc.StatusCode.UNAVAILABLE, "[request id: 1] Exceeds maximum queue size", times=3)
    assert len(await scorer.score(["milk"])) == 1
    assert scorer.breaker.state is State.CLOSED


async def test_a_slow_server_meets_the_deadline(server: tuple[Server, str], model: Model) -> None:
    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    server[0].behave = hang
    scorer = TritonScorer(server[1], model, deadline_s=0.1)
    with pytest.raises(Unavailable) as caught:
        await scorer.score(["milk"])
    assert caught.value.reason == "deadline_exceeded"
    await scorer.close()


async def test_empty_tensors_of_a_server_that_looks_well_are_a_failure(
    server: tuple[Server, str], scorer: TritonScorer
) -> None:
    server[0].empty = True
    with pytest.raises(Unavailable) as caught:
        await scorer.score(["milk"])
    assert caught.value.reason == "bad_answer"


async def test_a_model_of_another_vocabulary_is_refused(server: tuple[Server, str], scorer: TritonScorer) -> None:
    server[0].identity[1] = b"another"
    with pytest.raises(Unavailable) as caught:
        await scorer.score(["milk"])
    assert caught.value.reason == "other_tokenizer"


async def test_no_server_at_all(model: Model, unused_tcp_port: int) -> None:
    scorer = TritonScorer(f"127.0.0.1:{unused_tcp_port}", model, deadline_s=2.0)
    with pytest.raises(Unavailable) as caught:
        await scorer.score(["milk"])
    assert caught.value.reason == "unavailable"
    await scorer.close()
