"""Why a served score is what it is: BERT's reasons and the online model's, each by its weight in what is served.

Asked for once it is decided that a score leads to an alert, in the same way as scores are, and only while there is
time: what is asked follows the rate at which BERT answers, so that no alert waits for its reasons longer than it may.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from inference.explain import TEXTS, Reading, Unit, family, weights
from inference.model import Model
from inference.scorer import Scorer, Unavailable
from online.learner import TARGETS
from online.reasons import PAST
from online.state import Learner
from online.told import told, told_zh
from online.words import say
from online.words_zh import say_zh
from schemas.features import NAMES
from schemas.outputs import Contribution, Parts, Score, Snapshot
from stream import metrics

# Fewer texts tell too little of a story to be worth asking.
FEWEST: Final = 8
KEPT: Final = 5
# Of what could be asked in the time there is: a crowded moment must not make an alert late.
CAUTION: Final = 0.6


class Case(NamedTuple):
    """A score that leads to an alert, and what it was made of."""

    snapshot: Snapshot
    score: Score


class Reasons:
    """Explains scores within `within_s` seconds a call; 0: never."""

    def __init__(self, within_s: float) -> None:
        self._within = within_s

    async def explain(
        self, cases: Sequence[Case], model: Model, scorer: Scorer, learner: Learner, rate: float
    ) -> dict[str, Score]:
        """Scores with the reasons of what was served, by id, as many as there is time for; the others keep theirs.

        `rate` is how many texts BERT answers a second.
        """
        room = int(self._within * CAUTION * rate)
        chosen = cases[: room // FEWEST]
        if len(chosen) < len(cases):
            metrics.UNEXPLAINED.labels("pace").inc(len(cases) - len(chosen))
        if not chosen:
            return {}
        readings = [Reading(case.snapshot, model, min(TEXTS, room // len(chosen))) for case in chosen]
        asked = [reading.texts() for reading in readings]
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._within):
                answers = iter(await scorer.score([text for texts in asked for text in texts]))
        except (TimeoutError, Unavailable) as error:
            metrics.UNEXPLAINED.labels(getattr(error, "reason", "slow")).inc(len(chosen))
            return {}
        metrics.EXPLAIN_SECONDS.observe(time.perf_counter() - began)
        metrics.EXPLAINED.inc(len(chosen))
        return {
            case.score.id: explained(case, reading, [next(answers) for _ in texts], learner)
            for case, reading, texts in zip(chosen, readings, asked, strict=True)
        }


def explained(case: Case, reading: Reading, answers: Sequence[Parts], learner: Learner) -> Score:
    """The score with its reasons, out of BERT's answers to the reading's texts."""
    reasons = {}
    for target in TARGETS:
        found = weights([getattr(answer, target) for answer in answers])
        share = learner.bert_share(target)
        online = learner.model.explain_one(case.snapshot.features, target, len(NAMES))
        hers = [
            replace(one, weight=(1.0 - share) * one.weight)
            for one in case.score.reasons.get(target, [])
            if one.feature == PAST
        ]
        weighed = [*mixed(case.snapshot, reading, found, online, share), *hers]
        reasons[target] = sorted(weighed, key=lambda one: -abs(one.weight))[:KEPT]
    return replace(case.score, reasons=reasons)


def mixed(
    snapshot: Snapshot, reading: Reading, found: Sequence[float], online: Sequence[Contribution], share: float
) -> list[Contribution]:
    """What moved the served log odds, furthest first: BERT's units by its `share`, the online model's by the rest.

    Both speak of numbers by families, as one view of a number hides behind the others in either model; a family is
    said by the feature that is furthest from the ordinary, and where BERT reads none of it, that moves most.
    """
    sums: dict[str, float] = {}
    sayings: dict[str, str] = {}
    for one in online:
        kin = family(one.feature)
        sums[kin] = sums.get(kin, 0.0) + (1.0 - share) * one.weight
        sayings.setdefault(kin, one.feature)
    behaviours = []
    for unit, weight in zip(reading.units, found, strict=True):
        if unit.moments:
            behaviours.append(_behaviour(snapshot, reading, unit, share * weight))
            continue
        name = reading.most_telling(unit)
        kin = family(name)
        sums[kin] = sums.get(kin, 0.0) + share * weight
        sayings[kin] = name
    pushed = [*behaviours, *_numbers(snapshot, sums, sayings)]
    return sorted((one for one in pushed if one.weight), key=lambda one: -abs(one.weight))


def _numbers(snapshot: Snapshot, sums: dict[str, float], sayings: dict[str, str]) -> Iterator[Contribution]:
    for kin, weight in sums.items():
        name = sayings[kin]
        value = snapshot.features.get(name)
        yield Contribution(
            feature=name, value=value, weight=weight, words=say(name, value), words_zh=say_zh(name, value)
        )


def _behaviour(snapshot: Snapshot, reading: Reading, unit: Unit, weight: float) -> Contribution:
    """`story:n` is the n-th newest behaviour, from 0; the last may stand for all the older ones."""
    first, count = unit.moments[0], len(unit.moments)
    moment = reading.told[first]
    words, words_zh = told(moment, snapshot.at), told_zh(moment, snapshot.at)
    if count > 1:
        words, words_zh = f"{words}, and {count - 1} before", f"{words_zh}，以及之前的{count - 1}次行为"
    return Contribution(feature=f"story:{first}", value=None, weight=weight, words=words, words_zh=words_zh)
