"""What every partition of a score worker scores with, and how a score is put together."""

import asyncio
import logging
from typing import Final

import msgspec
from confluent_kafka import Message
from msgspec.structs import replace

from online.alerts import KINDS, Policy
from online.budget import limits_of
from online.learner import TARGETS
from online.learners.renewal import past
from online.marks import marks_of
from online.prior import read
from online.reasons import reasons
from online.shift import Shifts
from online.state import NAME, Learner
from schemas.features import DAY_MS
from schemas.outputs import ModelSnapshot, Score, Snapshot
from schemas.topics import FEATURES, MODELS
from stream import metrics
from stream.kafka.follow import Follower
from stream.kafka.stage import Stage
from stream.recommender.items import Items
from stream.settings import Settings
from stream.stages.asking import Answer, Bert
from stream.stages.reasons import Reasons

log = logging.getLogger("footfall.score")
_models = msgspec.json.Decoder(ModelSnapshot)
# The counts of so many seconds are lost to the monitor of shifts where a worker is killed.
SHIFTS_S: Final = 60.0


class Models:
    """What every partition of the worker scores with: BERT, the newest online model, the item index."""

    def __init__(self, settings: Settings) -> None:
        self.bert = Bert(settings)
        self.learner = Learner(read(settings.prior))
        self.horizons = {"churn": settings.churn_days * DAY_MS, "intent": settings.intent_days * DAY_MS}
        self.items = Items(settings.currency)
        metrics.INDEX.watch(self.items)
        self.shifts = Shifts()
        self._shifts_kept = (0, 0.0)
        self.reasons = Reasons(settings.score_explain_s)
        self.behind_s = settings.score_behind_s
        self.explore = settings.explore
        self.policy = Policy(holdout_share=settings.holdout_share, marks=marks_of(settings.alert_marks))
        self.budget = limits_of(settings.alert_budget, KINDS)
        self.zone = settings.zone
        self.features = settings.topic(FEATURES.name)
        self.ready = asyncio.Event()

    async def follow(self, stage: Stage) -> None:
        """Connect to Triton, and follow the models and the interactions until the stage ends."""
        settings = stage.settings
        models = Follower(settings.kafka_brokers, settings.topic(MODELS.name), self._swap)
        try:
            await self.bert.open()
            async with asyncio.TaskGroup() as group:
                group.create_task(models.run())
                group.create_task(self.items.follow(settings))
                # One worker has the first partition: it writes the snapshots.
                group.create_task(self.items.publish_often(settings, lambda: 0 in stage.owned))
                group.create_task(self.bert.watch())
                await models.caught_up.wait()
                self.ready.set()
        finally:
            await self.bert.close()

    def _swap(self, message: Message) -> None:
        """Take over a published version of the online model; one that is broken leaves the present one serving."""
        if message.key() != NAME.encode():
            return
        try:
            snapshot = _models.decode(message.value() or b"")
            learner = Learner.restore(snapshot, serving=True)
        except (ValueError, msgspec.DecodeError) as error:
            log.error("the model at offset %s is refused: %s", message.offset(), error)
            return
        self.learner = learner
        metrics.MODEL.clear()
        metrics.MODEL.labels("online", learner.version).set(1)

    def take_shifts(self, stored: bytes | None) -> None:
        """Go on from what the worker knew that had the first partition before, unless this one has seen more."""
        try:
            known = Shifts.load(msgspec.msgpack.decode(stored or b""))
        except (ValueError, msgspec.DecodeError) as error:
            log.error("the monitor of shifts begins anew: %s", error)
            return
        if known.seen > self.shifts.seen:
            self.shifts = known
            self._shifts_kept = known.windows, 0.0

    def new_shifts(self, now: float) -> bytes | None:
        """What the monitor knows, when a window is over or it was not kept for `SHIFTS_S`; None where it is kept."""
        windows, at = self._shifts_kept
        if not self.shifts.seen or (self.shifts.windows == windows and now - at < SHIFTS_S):
            return None
        self._shifts_kept = self.shifts.windows, now
        return msgspec.msgpack.encode(self.shifts.dump())

    def follow_shifts(self, score: Score) -> None:
        """Measure how far what comes in, and what is said of it, has moved."""
        values = score.features | {"score.churn": score.churn, "score.intent": score.intent}
        for shift in self.shifts.learn_one(values, score.at):
            for measure in ("psi", "ks", "wasserstein"):
                metrics.SHIFT.labels(shift.feature, measure).set(getattr(shift, measure))
            if shift.alarm:
                metrics.SHIFTS.labels(shift.feature).inc()
                log.warning("the distribution of %s has shifted (PSI %.2f)", shift.feature, shift.psi)


def combine(snapshot: Snapshot, answer: Answer, models: Models) -> Score:
    """One snapshot's score out of BERT's answer and the online model's."""
    learner, bert = models.learner, answer.parts
    her_past = past(snapshot.story, snapshot.at, models.horizons)
    served, online, learners = learner.answer(snapshot.features, bert, her_past)
    versions = {"online": learner.version}
    if bert is not None:
        versions["bert"] = answer.version
    return Score(
        id=snapshot.id,
        customer=snapshot.customer,
        at=snapshot.at,
        trigger=snapshot.trigger,
        arrived=snapshot.arrived,
        churn=served.churn,
        intent=served.intent,
        value=served.value,
        source="online" if bert is None else "ensemble",
        fallback=answer.fallback,
        bert=bert,
        online=online,
        learners=learners,
        models=versions,
        reasons={
            target: reasons(learner.model, target, snapshot.features, her_past, learners[target], models.horizons)
            for target in TARGETS
        },
        features=snapshot.features,
        story=answer.story,
    )


def beside(score: Score, shadow: Answer | None) -> Score:
    """A score with what the shadow says of the same snapshot."""
    if shadow is None or shadow.parts is None:
        return score
    if score.bert is not None:
        for target in ("churn", "intent"):
            apart = abs(getattr(shadow.parts, target) - getattr(score.bert, target))
            metrics.SHADOW_DISTANCE.labels(target, shadow.version).observe(apart)
    return replace(score, shadow=shadow.parts, models={**score.models, "shadow": shadow.version})
