"""Are BERT's reasons its reasons? Without the top ones its score must fall further than without as many others.

Comprehensiveness is how far the score (log odds of what was predicted) falls without the `TOP` reasons in its favour,
sufficiency how far it falls with nothing but these; both beside as many units drawn by chance. No method is its own
judge: reasons were found by making numbers ordinary, so what is removed is left out altogether; and, as no customer
lacks numbers, it is judged once more with those of `OTHERS` other customers in their place (`swapped`).
Source: DeYoung et al. 2020, ERASER.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import track

from deploy.bench.place import place
from deploy.evaluate.asked import Asked
from inference.explain import Reading, Unit, weights
from inference.model import Model
from inference.scorer import Scorer
from inference.triton import TritonScorer
from online.learner import TARGETS
from schemas.decode import decode
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.odds import logit
from schemas.outputs import Parts, Snapshot
from stream.features.engine import Config, Engine
from stream.settings import Settings
from stream.sources import completejourney

TOP: Final = 3
OTHERS: Final = 4
CASES: Final = 200
RESAMPLED: Final = 2_000
# The shipped model was trained on what lies before.
FIRST_DAY: Final = 280
EVERY_DAYS: Final = 20
DEADLINE_S: Final = 120.0

Row = dict[str, float]
NAMES: Final = ("top", "random", "top_alone", "random_alone", "top_swapped", "random_swapped")


def measure(asked: Asked) -> dict[str, Any]:
    """Comprehensiveness and sufficiency by target, with 95% intervals, and the time of an explanation."""
    if asked.source != completejourney.NAME:
        raise OperatorError(f"explanations are measured on {completejourney.NAME}, not on {asked.source}")
    known = list(snapshots(asked))
    cases = random.Random(asked.seed).sample(known, min(asked.limit or CASES, len(known)))
    return asyncio.run(_on_triton(cases, asked))


def show(console: Console, found: dict[str, Any]) -> None:
    """As sentences."""
    for target in TARGETS:
        told = found[target]
        low, high = told["interval"]
        console.print(
            f"{target}: without its top {TOP} reasons the log odds fall by {told['top']:.2f}, "
            f"without {TOP} random ones by {told['random']:.2f}: {told['comprehensiveness']:.2f} more "
            f"({low:.2f} to {high:.2f}); with others' numbers by {told['swapped']['top']:.2f} and "
            f"{told['swapped']['random']:.2f}"
        )
    ms = found["ms"]
    each = f"{found['texts']:.1f} texts and {ms['p50']:.0f} ms each (p99 {ms['p99']:.0f})"
    console.print(f"{found['cases']} cases, {each}")


def snapshots(asked: Asked, limit: int | None = None, first_day: int = FIRST_DAY) -> Iterator[Snapshot]:
    """Every customer with a story, at cut-offs from `first_day` of the log on."""
    engine = Engine(Config(emit=False))
    cutoff = 0
    count = limit or completejourney.count()
    told = track(completejourney.events(limit), "reading", count, disable=asked.quiet, transient=True)
    for offset, source in enumerate(told):
        cutoff = cutoff or source.at + first_day * DAY_MS
        while source.at >= cutoff:
            engine.advance(cutoff, cutoff)
            list(engine.flush())
            for profile in engine.profiles.values():
                yield engine.snapshot(profile, "cutoff", cutoff, cutoff, cutoff)
            cutoff += EVERY_DAYS * DAY_MS
        engine.apply(decode(source.value, engine.config.currency), 0, offset, source.at)


async def _on_triton(cases: Sequence[Snapshot], asked: Asked) -> dict[str, Any]:
    settings = Settings()
    model = Model.load(settings.model_dir)
    if settings.given("triton_url"):
        return await _with(settings.triton_url, model, cases, asked)
    async with place(settings, ("triton",), announce=lambda *_: None) as (own, _):
        return await _with(own.triton_url, model, cases, asked)


async def _with(url: str, model: Model, cases: Sequence[Snapshot], asked: Asked) -> dict[str, Any]:
    scorer = TritonScorer(url, model, deadline_s=DEADLINE_S)
    try:
        return await judged(cases, model, scorer, asked)
    finally:
        await scorer.close()


async def judged(cases: Sequence[Snapshot], model: Model, scorer: Scorer, asked: Asked) -> dict[str, Any]:
    """Explain the cases one at a time, as alerts are, and judge each explanation."""
    rng = random.Random(asked.seed)
    rows: dict[str, list[Row]] = {target: [] for target in TARGETS}
    took, texts = [], 0
    readings = [Reading(case, model) for case in cases]
    await scorer.score([readings[0].text()])
    for number in track(range(len(cases)), "explaining", disable=asked.quiet, transient=True):
        others = [readings[(number + 1 + n) % len(cases)] for n in range(OTHERS)]
        began = time.perf_counter()
        reading = Reading(cases[number], model)
        answers = await scorer.score(reading.texts())
        took.append(1000 * (time.perf_counter() - began))
        texts += len(answers)
        for target in TARGETS:
            rows[target].append(await _judge(reading, answers, target, scorer, rng, others))
    p50, p99 = np.percentile(took, [50, 99])
    return {
        "cases": len(cases),
        "top": TOP,
        "texts": texts / len(cases),
        **{target: summary(found, asked.seed) for target, found in rows.items()},
        "ms": {"p50": float(p50), "p99": float(p99)},
    }


async def _judge(
    reading: Reading,
    answers: Sequence[Parts],
    target: str,
    scorer: Scorer,
    rng: random.Random,
    others: Sequence[Reading],
) -> Row:
    whole = getattr(answers[0], target)
    side = 1.0 if whole >= 0.5 else -1.0
    found = weights([getattr(answer, target) for answer in answers])
    order = sorted(range(len(found)), key=lambda n: -side * found[n])
    top = [reading.units[n] for n in order[:TOP]]
    chance = rng.sample(reading.units, min(TOP, len(reading.units)))
    kept = [_others(reading, top), _others(reading, chance)]
    asked = [reading.text(units, blank=True) for units in (top, chance, *kept)]
    asked += [reading.text(units, of=other) for units in (top, chance) for other in others]
    scores = [getattr(answer, target) for answer in await scorer.score(asked)]
    falls = [side * (logit(whole) - logit(score)) for score in scores]
    plain, swapped = falls[:4], np.array(falls[4:]).reshape(2, -1).mean(axis=1)
    return dict(zip(NAMES, (*plain, *map(float, swapped)), strict=True))


def _others(reading: Reading, units: Sequence[Unit]) -> list[Unit]:
    return [unit for unit in reading.units if unit not in units]


def summary(rows: Sequence[Row], seed: int) -> dict[str, Any]:
    """Means, and 95% bootstrap intervals of what the top reasons do beyond random ones, paired by case."""
    columns = {name: np.array([row[name] for row in rows]) for name in NAMES}
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(rows), (RESAMPLED, len(rows)))
    more = columns["top"] - columns["random"]
    better = columns["random_alone"] - columns["top_alone"]
    apart = columns["top_swapped"] - columns["random_swapped"]
    means = {name: float(column.mean()) for name, column in columns.items()}
    return {
        **{name: means[name] for name in NAMES[:4]},
        "swapped": {
            "top": means["top_swapped"],
            "random": means["random_swapped"],
            "interval": np.percentile(apart[drawn].mean(1), [2.5, 97.5]).tolist(),
        },
        "comprehensiveness": float(more.mean()),
        "interval": np.percentile(more[drawn].mean(1), [2.5, 97.5]).tolist(),
        "sufficiency": float(better.mean()),
        "sufficiency_interval": np.percentile(better[drawn].mean(1), [2.5, 97.5]).tolist(),
    }
