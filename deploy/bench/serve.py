"""`bench serve`: Triton with the project's client, the textbook's loop and dynamic padding, on the same texts."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from deploy.bench.child import Child, child
from deploy.bench.place import place
from deploy.bench.stories import stories
from deploy.local import environment, repository
from deploy.local.repository import Device
from deploy.local.supervisor import Announce
from inference.model import SHIPPED, Model
from inference.triton import TritonScorer
from schemas.errors import OperatorError
from stream.settings import Settings

REQUIREMENTS = Path(__file__).with_name("textbook-requirements.txt")
REMEDY = "look at the network, or name a Python that has torch and transformers with --torch"
OURS, TEXTBOOK, DYNAMIC = "footfall", "textbook", "dynamic_padding"
PAD = {TEXTBOOK: 128, DYNAMIC: 0}
# As the score stage asks: this many partitions, each a call of this many snapshots at a time.
PARTITIONS, CALL = 4, 32
CALLERS = (1, 8, 64)
# Between the served int8 and fp32 of the same weights, on average; a wrong network would be far from it.
MOST_APART = 0.05
DEADLINE_S = 60.0
INT8, FP16 = "int8", "fp16 (CUDA)"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many texts each contender gets a round, out of how many events, how many rounds, and who runs where."""

    texts: int = 256
    events: int = 40_000
    rounds: int = 5
    device: Device = "cpu"
    torch: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """Called with how many more events were read for the stories, and with each turn's contender and rate."""

    read: Callable[[int], None]
    turn: Callable[[str, float], None]


async def serve(settings: Settings, plan: Plan, announce: Announce, watch: Watch) -> dict[str, Any]:
    """Run the rounds, then callers side by side. Raises `OperatorError` where the contenders do not answer alike.

    On a GPU the textbook's loop runs there too where its Python's torch can (`Plan.torch`); ONNX Runtime's stays on the
    CPU, as its environment has no CUDA.
    """
    folder = settings.model_dir or SHIPPED
    model = Model.load(folder)
    texts = await asyncio.to_thread(stories, model, plan.texts, plan.events, watch.read)
    loop = asyncio.get_running_loop()

    def say(line: str) -> None:
        loop.call_soon_threadsafe(announce, TEXTBOOK, line)

    def install() -> str:
        wanted = REQUIREMENTS.read_text()
        return environment.python(settings.cache_dir, TEXTBOOK, wanted, say, what="the textbook's loop", remedy=REMEDY)

    python = plan.torch or await asyncio.to_thread(install)
    runtime = "torch" if plan.torch else "onnxruntime"
    where = "cuda" if repository.on_gpu(plan.device) else "cpu"
    arguments = ("deploy.bench.textbook", str(folder.resolve()), str(model.manifest.max_tokens), runtime, where)
    async with AsyncExitStack() as stack:
        own, _ = await stack.enter_async_context(
            place(settings, ("triton",), announce=announce, triton_device=plan.device)
        )
        other = await stack.enter_async_context(child(TEXTBOOK, arguments, own.data_dir / TEXTBOOK, python=python))
        said = await other.line()
        async with _client(own, model) as scorer:
            contest = Contest(scorer, other, texts, compare=not plan.torch)
            seconds = await contest.rounds(plan.rounds, watch)
        callers = {str(count): await _crowd(own, model, texts, count) for count in CALLERS}
    return _summary(plan, model, texts, seconds, callers, said["runtime"])


class Contest:
    """Who scores the same texts in how many seconds."""

    def __init__(self, scorer: TritonScorer, other: Child, texts: Sequence[str], *, compare: bool) -> None:
        self._scorer = scorer
        self._other = other
        self._texts = texts
        self._compare = compare

    async def rounds(self, count: int, watch: Watch) -> dict[str, list[float]]:
        """Seconds of each contender by round; the order rotates, and a round before them warms all up."""
        names = (OURS, TEXTBOOK, DYNAMIC)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for number in range(-1, count):
            answers = {}
            for name in (*names[number % 3 :], *names[: number % 3]):
                took, answers[name] = await self._turn(name, self._texts if number >= 0 else self._texts[:CALL])
                if number >= 0:
                    seconds[name].append(took)
                    watch.turn(name, len(self._texts) / took)
            self._alike(answers)
        return seconds

    async def _turn(self, name: str, texts: Sequence[str]) -> tuple[float, list[list[float]]]:
        if name != OURS:
            said = await self._other.ask({"texts": texts, "pad": PAD[name]})
            return said["seconds"], said["probabilities"]
        began = time.perf_counter()
        parts = await _by_partitions(self._scorer, texts)
        return time.perf_counter() - began, parts

    def _alike(self, answers: dict[str, list[list[float]]]) -> None:
        if not self._compare:
            return
        ours = np.array(answers[OURS])
        for name in (TEXTBOOK, DYNAMIC):
            apart = float(np.abs(np.array(answers[name])[:, :2] - ours).mean())
            if not apart <= MOST_APART:
                raise OperatorError(f"{name} answers {apart:.3f} apart from what is served: another network")


async def _by_partitions(scorer: TritonScorer, texts: Sequence[str]) -> list[list[float]]:
    """The first two heads' answers, each partition sending a call as soon as its last one is answered."""
    calls = iter(range(0, len(texts), CALL))
    answers: list[list[float]] = [[]] * len(texts)

    async def partition() -> None:
        for start in calls:
            parts = await scorer.score(texts[start : start + CALL])
            answers[start : start + CALL] = [[part.churn, part.intent] for part in parts]

    await asyncio.gather(*(partition() for _ in range(PARTITIONS)))
    return answers


async def _crowd(settings: Settings, model: Model, texts: Sequence[str], count: int) -> dict[str, float]:
    """`count` callers, each a client of its own that sends one text at a time; ms a call, and texts a second."""
    waiting = iter(texts)
    took: list[float] = []

    async def caller(scorer: TritonScorer) -> None:
        for text in waiting:
            began = time.perf_counter()
            await scorer.score([text])
            took.append(time.perf_counter() - began)

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(settings, model)) for _ in range(count)]
        await asyncio.gather(*(client.score([texts[0]]) for client in clients))
        began = time.perf_counter()
        await asyncio.gather(*(caller(client) for client in clients))
        whole = time.perf_counter() - began
    p50, p99 = np.percentile(np.array(took) * 1000, (50, 99))
    return {"seq_per_s": round(len(took) / whole, 1), "p50_ms": round(p50, 2), "p99_ms": round(p99, 2)}


@asynccontextmanager
async def _client(settings: Settings, model: Model) -> AsyncIterator[TritonScorer]:
    scorer = TritonScorer(settings.triton_url, model, deadline_s=DEADLINE_S)
    try:
        yield scorer
    finally:
        await scorer.close()


def _summary(
    plan: Plan,
    model: Model,
    texts: Sequence[str],
    seconds: dict[str, list[float]],
    callers: dict[str, dict[str, float]],
    runtime: str,
) -> dict[str, Any]:
    """Medians over the rounds; a ratio is ours over the other's within one round."""
    precision = FP16 if repository.on_gpu(plan.device) else INT8
    ratios = {name: [o / s for o, s in zip(seconds[name], seconds[OURS], strict=True)] for name in PAD}
    return {
        "seq_per_s": {name: round(len(texts) / median(took), 1) for name, took in seconds.items()},
        "ratio": {name: round(median(found), 2) for name, found in ratios.items()},
        "p50_ms": callers["1"]["p50_ms"],
        "p99_ms": callers["1"]["p99_ms"],
        "callers": callers,
        "rounds": plan.rounds,
        "texts": len(texts),
        "tokens": round(float(np.mean([len(ids) for ids in model.encode(texts)])), 1),
        "model": model.version,
        "device": plan.device,
        **({"card": repository.card()} if precision == FP16 else {}),
        "runtime": {OURS: f"Triton, onnxruntime {precision}", TEXTBOOK: runtime, DYNAMIC: runtime},
    }
