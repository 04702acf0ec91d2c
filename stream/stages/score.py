"""score: snapshots in; scores, alerts and recommendations out. Its own state is what was said to whom."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import msgspec
from confluent_kafka import Message
from msgspec.structs import replace

from online.alerts import TREATMENT, Policy, because, decide
from online.learner import TARGETS
from online.learners.renewal import past
from online.marks import marks_of
from online.prior import read
from online.reasons import reasons
from online.recommend.recommend import show
from online.rhythm import usual_hour
from online.said import Said, decode_said, encode_said, hear
from online.shift import Shifts
from online.state import NAME, Learner
from online.uplift import Tally
from schemas.features import DAY_MS
from schemas.outputs import Alert, ModelSnapshot, Recommendation, Score, Snapshot, encode, make_id
from schemas.topics import ALERTS, DECISIONS, FEATURES, INTERACTIONS, MODELS, OUTCOMES, RECOMMENDATIONS, SCORES
from stream import metrics
from stream.backlog import REASON as BEHIND
from stream.backlog import Backlog
from stream.kafka.follow import Follower
from stream.kafka.stage import Stage
from stream.kafka.state import Out
from stream.kafka.transport import Run
from stream.recommender.items import Items
from stream.settings import Settings
from stream.stages import outcomes, reviews
from stream.stages.asking import Answer, Bert
from stream.stages.reasons import Case, Reasons

log = logging.getLogger("footfall.score")
_snapshots = msgspec.json.Decoder(Snapshot)
_models = msgspec.json.Decoder(ModelSnapshot)

# A change of context is worth new recommendations; silence is not.
_RECOMMENDED = frozenset({"order", "engaged", "cart", "checkout", "session_end", "cart_abandoned", "review"})
RECOMMENDED_ITEMS = 10
# A call's snapshots are scored together; a run is larger, so that fetching keeps ahead.
RUN_RECORDS = 256


class Models:
    """What every partition of the worker scores with: BERT, the newest online model, the item index."""

    def __init__(self, settings: Settings) -> None:
        self.bert = Bert(settings)
        self.learner = Learner(read(settings.prior))
        self.horizons = {"churn": settings.churn_days * DAY_MS, "intent": settings.intent_days * DAY_MS}
        self.items = Items(settings.currency)
        metrics.INDEX.watch(self.items)
        self.shifts = Shifts()
        self.reasons = Reasons(settings.score_explain_s)
        self.behind_s = settings.score_behind_s
        self.explore = settings.explore
        self.policy = Policy(holdout_share=settings.holdout_share, marks=marks_of(settings.alert_marks))
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

    def follow_shifts(self, score: Score) -> None:
        """Measure how far what comes in, and what is said of it, has moved."""
        values = score.features | {"score.churn": score.churn, "score.intent": score.intent}
        for shift in self.shifts.learn_one(values, score.at):
            for measure in ("psi", "ks", "wasserstein"):
                metrics.SHIFT.labels(shift.feature, measure).set(getattr(shift, measure))
            if shift.alarm:
                metrics.SHIFTS.labels(shift.feature).inc()
                log.warning("the distribution of %s has shifted (PSI %.2f)", shift.feature, shift.psi)


def stage(settings: Settings) -> Stage:
    """The score stage."""
    models: list[Models] = []

    async def start(stage: Stage) -> None:
        await shared().follow(stage)

    def shared() -> Models:
        # Made inside the event loop that will use it.
        if not models:
            models.append(Models(settings))
        return models[0]

    return Stage(
        settings,
        "score",
        (FEATURES, OUTCOMES),
        DECISIONS,
        lambda number: ScorePartition(shared(), number=number, partitions=settings.partitions),
        run_records=RUN_RECORDS,
        start=start,
    )


class Decided(NamedTuple):
    """A score, the alerts that it gives rise to, and what will have been said to the customer (None: no more)."""

    snapshot: Snapshot
    score: Score
    alerts: list[Alert]
    said: Said | None


class ScorePartition:
    """One partition: snapshots scored in batches, decided upon one by one, in order."""

    def __init__(
        self, models: Models, now: Callable[[], float] = time.time, *, number: int = 0, partitions: int = 1
    ) -> None:
        self._models = models
        self._number, self._partitions = number, partitions
        self._tally = Tally()
        self._now = now
        self._backlog = Backlog(models.behind_s)
        self._said: dict[str, Said] = {}
        self._changed: set[str] = set()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """What was said to one customer."""
        self._keep(key.decode(), None if value is None else decode_said(value))

    async def process(self, run: Run, out: Out) -> None:
        """Score the run's snapshots, a batch at a time."""
        if run.records[0].topic.endswith(OUTCOMES.name):
            self._hear(run, out)
            return
        await self._models.ready.wait()
        snapshots: list[Snapshot] = []
        for record in run.records:
            if record.value is not None:
                snapshots.append(_snapshots.decode(record.value))
                continue
            await self._score_all(snapshots, out)
            self._forget(record.key, out)
        await self._score_all(snapshots, out)

    def _forget(self, key: bytes, out: Out) -> None:
        """A customer is erased: what was said to her is forgotten, and whoever reads scores is told."""
        if key.decode() in self._said:
            self._keep(key.decode(), None)
            self._changed.add(key.decode())
        out(SCORES.name, key, None)

    def _hear(self, run: Run, out: Out) -> None:
        """Customers who want to hear no more, or again."""
        for record in run.records:
            outcome = outcomes.read(record, self._number, self._partitions, out)
            if outcome is not None:
                self._say(outcome.customer, hear(self._said.get(outcome.customer, Said()), outcome))

    def _say(self, customer: str, said: Said) -> None:
        if said != self._said.get(customer, Said()):
            self._keep(customer, said)
            self._changed.add(customer)

    def _keep(self, customer: str, said: Said | None) -> None:
        """What was said to a customer from now on (None: nothing is known of her), and what is counted of it."""
        before = self._said.pop(customer, Said())
        if said is not None:
            self._said[customer] = said
        self._tally.change(before.trials, Said().trials if said is None else said.trials)

    async def _score_all(self, snapshots: list[Snapshot], out: Out) -> None:
        """Score, and take from the list, all of it."""
        while snapshots:
            size = self._models.bert.pace.batch
            late = list(takewhile(self._late, snapshots[:size]))
            batch = late or snapshots[:size]
            quiet = len(batch) == len(snapshots) and all(self._backlog.fresh(one, self._now()) for one in batch)
            await self._score(batch, out, BEHIND if late else "", quiet=quiet)
            del snapshots[: len(batch)]

    def _late(self, snapshot: Snapshot) -> bool:
        return self._backlog.late(snapshot, self._now())

    async def _score(self, snapshots: Sequence[Snapshot], out: Out, without: str = "", *, quiet: bool) -> None:
        """Score a batch; with a reason to be `without` BERT, it is not asked. While it is `quiet`, the shadow is, too.

        What is decided is sent before the shadow is asked: it may keep a score waiting, for a moment, but no alert.
        """
        bert = self._models.bert
        answers = bert.unasked(snapshots, without) if without else await bert.ask(snapshots)
        # Reviews are few, and what an unhappy one says is never less urgent than now.
        read = await reviews.read(snapshots, bert.serving.scorer)
        scores = [
            replace(combine(snapshot, answer, self._models), sentiment=read.get(snapshot.id))
            for snapshot, answer in zip(snapshots, answers, strict=True)
        ]
        decided = self._decide(snapshots, scores)
        better = await self._explain(decided)
        scores = [better.get(score.id, score) for score in scores]
        # Nothing is waited for here: what will have been said and what is sent because of it belong to one barrier.
        for one, score in zip(decided, scores, strict=True):
            self._send(one, score, out)
        shadows = await bert.ask_shadow(snapshots, quiet=quiet and not without)
        for score in scores:
            told = beside(score, shadows.get(score.id))
            out(SCORES.name, told.customer.encode(), encode(told))
            metrics.SCORES.labels(told.source).inc()
            self._models.follow_shifts(score)
            metrics.SCORE_SECONDS.observe(max(0.0, self._now() - told.arrived / 1000))

    def _decide(self, snapshots: Sequence[Snapshot], scores: Sequence[Score]) -> list[Decided]:
        """The batch's decisions, in order; nothing has been said yet."""
        said: dict[str, Said] = {}
        found = []
        for snapshot, score in zip(snapshots, scores, strict=True):
            before = said.get(score.customer) or self._said.get(score.customer, Said())
            hour = usual_hour([moment.at for moment in snapshot.story])
            alerts, after = decide(score, snapshot.currency, before, self._models.policy, hour)
            said[score.customer] = after
            found.append(Decided(snapshot, score, alerts, None if after == before else after))
        return found

    async def _explain(self, decided: Sequence[Decided]) -> dict[str, Score]:
        """The scores behind alerts that will be sent, with the reasons of what was served, as far as there is time."""
        models, now, serving = self._models, self._now(), self._models.bert.serving
        cases = [
            Case(one.snapshot, one.score)
            for one in decided
            # A canary's scores keep the online model's reasons: another version's would not be theirs.
            if one.score.models.get("bert") == serving.model.version
            and any(alert.arm == TREATMENT for alert in one.alerts)
        ]
        fresh = [case for case in cases if self._backlog.fresh(case.snapshot, now)]
        metrics.UNEXPLAINED.labels("late").inc(len(cases) - len(fresh))
        rate = models.bert.pace.rate
        return await models.reasons.explain(fresh, serving.model, serving.scorer, models.learner, rate)

    def _send(self, one: Decided, score: Score, out: Out) -> None:
        """Send what comes of a score."""
        if score.sentiment is not None:
            reviews.tell(one.snapshot, score.sentiment, out)
        if one.said is not None:
            self._say(score.customer, one.said)
        self._alert([because(alert, score) for alert in one.alerts], out)
        self._recommend(one.snapshot, score, out)

    def _alert(self, alerts: Sequence[Alert], out: Out) -> None:
        for alert in alerts:
            metrics.ALERTS.labels(alert.kind, alert.arm).inc()
            # A holdout's alert is a decision that is remembered but never sent: that is what measures the effect.
            if alert.arm == TREATMENT:
                out(ALERTS.name, alert.customer.encode(), encode(alert))
                metrics.ALERT_SECONDS.observe(max(0.0, self._now() - alert.arrived / 1000))

    def _recommend(self, snapshot: Snapshot, score: Score, out: Out) -> None:
        if snapshot.trigger not in _RECOMMENDED:
            return
        shown = show(snapshot, self._models.items.index, RECOMMENDED_ITEMS, self._models.explore)
        if shown.items:
            key, decision_id = snapshot.customer.encode(), make_id(snapshot.customer, "recommendation", snapshot.id)
            recommendation = Recommendation(
                decision_id=decision_id,
                customer=snapshot.customer,
                at=snapshot.at,
                trigger=snapshot.trigger,
                items=shown.items,
                lead=shown.lead,
                propensity=shown.propensity,
                models=score.models,
            )
            out(RECOMMENDATIONS.name, key, encode(recommendation))
            # Among what she then does, so that every index learns what came of it.
            out(INTERACTIONS.name, key, encode(shown.told(decision_id, snapshot.customer, snapshot.at)))
            metrics.RECOMMENDATIONS.inc()

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """What was said since the last barrier."""
        self._measure()
        changed, self._changed = self._changed, set()
        for customer in changed:
            said = self._said.get(customer)
            yield customer.encode(), None if said is None else encode_said(said)

    def _measure(self) -> None:
        for (kind, which), windows in self._tally.windows.items():
            metrics.EFFECT_WINDOWS.labels(kind, which, self._number).set(windows)
            metrics.EFFECT_BOUGHT.labels(kind, which, self._number).set(self._tally.bought[kind, which])

    def durable(self, out: Out) -> None:
        """Alerts never wait."""

    def tick(self, now: int, out: Out) -> None:
        """Nothing waits for the clock here: silence comes as snapshots."""


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
