"""score: snapshots in; scores, alerts and recommendations out. Its own state is what was said to whom.

What was sent stands: a snapshot that is read again after a crash keeps its score and what was decided by it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from online.alerts import HOLDOUT, TREATMENT, arm, because, decide
from online.budget import Budget
from online.recommend.recommend import show
from online.rhythm import usual_hour
from online.said import MONITOR, Said, decode_said, encode_said, hear
from online.uplift import Tally
from schemas.outputs import Alert, Recommendation, Score, Snapshot, encode, make_id
from schemas.topics import ALERTS, DECISIONS, FEATURES, INTERACTIONS, OUTCOMES, RECOMMENDATIONS, SCORES
from stream import metrics
from stream.backlog import REASON as BEHIND
from stream.backlog import Backlog
from stream.kafka.sent import Sent, origin
from stream.kafka.stage import Stage, group_id
from stream.kafka.state import Held, Out
from stream.kafka.transport import Run
from stream.pace import LONGEST_S
from stream.settings import Settings
from stream.stages import outcomes, reviews
from stream.stages.before import Before, sent_before
from stream.stages.lists import FEW, Lists
from stream.stages.models import Models, beside, combine
from stream.stages.reasons import Case

_snapshots = msgspec.json.Decoder(Snapshot)

# A change of context is worth new recommendations; silence is not.
RECOMMENDED = frozenset({"order", "engaged", "cart", "checkout", "session_end", "cart_abandoned", "review"})
RECOMMENDED_ITEMS = 10
# A call's snapshots are scored together; a run is larger, so that fetching keeps ahead.
RUN_RECORDS = 256
NAME = "score"


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

    def make(number: int) -> ScorePartition:
        sent = partial(sent_before, settings, group_id(settings, NAME), number)
        return ScorePartition(shared(), number=number, partitions=settings.partitions, sent=sent)

    return Stage(
        settings,
        NAME,
        (FEATURES, OUTCOMES),
        DECISIONS,
        make,
        run_records=RUN_RECORDS,
        start=start,
        fenced=True,
    )


class Asked(NamedTuple):
    """A snapshot, its offset, and the score that was sent of it before a crash."""

    snapshot: Snapshot
    offset: int
    score: Score | None


class Decided(NamedTuple):
    """A score, the alerts that it gives rise to, and what will have been said to the customer (None: no more)."""

    snapshot: Snapshot
    offset: int
    score: Score
    alerts: list[Alert]
    said: Said | None


class ScorePartition:
    """One partition: snapshots scored in batches, decided upon one by one, in order."""

    def __init__(
        self,
        models: Models,
        now: Callable[[], float] = time.time,
        *,
        number: int = 0,
        partitions: int = 1,
        sent: Callable[[], Iterable[Sent]] = tuple,
    ) -> None:
        self._models = models
        self._sent = sent
        self._before = Before()
        self._budget = Budget(models.budget, number, partitions, models.zone)
        self._number, self._partitions = number, partitions
        self._tally = Tally()
        self._now = now
        self._backlog = Backlog(models.behind_s)
        self._lists = Lists(now)
        self._said: dict[str, Said] = {}
        self._changed: set[str] = set()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """What was said to one customer."""
        if key == MONITOR:
            self._models.take_shifts(value)
            return
        customer, said = key.decode(), None if value is None else decode_said(value)
        if arm(customer, self._models.policy.holdout_share) == TREATMENT:
            self._budget.change(self._said.get(customer, Said()), said or Said())
        self._keep(customer, said)

    def recall(self) -> None:
        """What was said since the last commit, and what was said lately."""
        for sent in self._sent():
            self._before.note(sent)

    async def process(self, run: Run, out: Out) -> None:
        """Score the run's snapshots, a batch at a time."""
        if run.tp.topic.endswith(OUTCOMES.name):
            self._hear(run, out)
            return
        await self._models.ready.wait()
        asked: list[Asked] = []
        for record in run.records:
            if record.value is not None:
                asked += self._asked(record)
                continue
            await self._score_all(asked, out)
            self._forget(record, out)
        await self._score_all(asked, out)

    def _asked(self, record: Any) -> Iterator[Asked]:
        """A record's snapshot, unless it has its score and is done with."""
        snapshot = _snapshots.decode(record.value)
        score = self._before.score(snapshot.id)
        if score is not None or not self._before.scored(snapshot.id):
            yield Asked(snapshot, record.offset, score)

    def _forget(self, record: Any, out: Out) -> None:
        """A customer is erased: what was said to her is forgotten, and whoever reads scores is told."""
        if record.key.decode() in self._said:
            self._keep(record.key.decode(), None)
            self._changed.add(record.key.decode())
        if not self._before.forgotten(record.offset):
            out(SCORES.name, record.key, None, headers=origin(record.offset))

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

    async def _score_all(self, asked: list[Asked], out: Out) -> None:
        """Score, and take from the list, all of it."""
        while asked:
            if again := list(takewhile(_is_scored, asked)):
                self._say_again(again, out)
                del asked[: len(again)]
                continue
            batch = asked[: self._models.bert.pace.batch]
            batch = batch[: next((n for n, one in enumerate(batch) if _is_scored(one)), len(batch))]
            late = list(takewhile(self._late, batch))
            batch = late or batch
            quiet = len(batch) == len(asked) and all(self._backlog.fresh(one.snapshot, self._now()) for one in batch)
            await self._score(batch, out, BEHIND if late else "", quiet=quiet)
            del asked[: len(batch)]

    def _late(self, asked: Asked) -> bool:
        """Whether there is no time to ask BERT about it."""
        late = self._backlog.late(asked.snapshot, self._now())
        return late or (len(self._lists) > FEW and self._backlog.live(asked.snapshot))

    def _say_again(self, asked: Sequence[Asked], out: Out) -> None:
        """What a worker that was killed had scored: decide as it did, and send what it had not sent any more."""
        scores = [one.score for one in asked if one.score is not None]
        for one in self._decide(asked, scores):
            self._send(one, one.score, out)
            self._recommend(one.offset, one.snapshot, one.score, out)
            self._models.follow_shifts(one.score)

    async def _score(self, asked: Sequence[Asked], out: Out, without: str = "", *, quiet: bool) -> None:
        """Score a batch; with a reason to be `without` BERT, it is not asked. While it is `quiet`, the shadow is, too.

        What is decided is sent before the shadow is asked: it may keep a score waiting, for a moment, but no alert.
        """
        bert = self._models.bert
        snapshots = [one.snapshot for one in asked]
        within = LONGEST_S if any(map(self._backlog.live, snapshots)) else None
        # Reviews are few, and what an unhappy one says is never less urgent than now.
        reading = reviews.read(snapshots, bert.serving.scorer, within)
        if without:
            answers, read = bert.unasked(snapshots, without), await reading
        else:
            answers, read = await asyncio.gather(bert.ask(snapshots, within), reading)
        scores = [
            replace(
                combine(snapshot, answer, self._models),
                sentiment=read.get(snapshot.id),
                decided=self._decided_before(one),
            )
            for one, snapshot, answer in zip(asked, snapshots, answers, strict=True)
        ]
        decided = self._decide(asked, scores)
        better = await self._explain(decided)
        scores = [better.get(one.score.id, one.score) for one in decided]
        # Nothing is waited for here: what will have been said and what is sent because of it belong to one barrier.
        for one, score in zip(decided, scores, strict=True):
            self._send(one, score, out)
        # A list takes longer to make than an alert, and no alert waits for those of others.
        for one, score in zip(decided, scores, strict=True):
            if without or self._lists.held() is not None:
                self._lists.add(one.offset, one.snapshot, score)
            else:
                self._recommend(one.offset, one.snapshot, score, out)
        shadows = await bert.ask_shadow(snapshots, quiet=quiet and not without)
        for one, score in zip(decided, scores, strict=True):
            told = beside(score, shadows.get(score.id))
            out(SCORES.name, told.customer.encode(), encode(told), headers=origin(one.offset))
            metrics.SCORES.labels(told.source).inc()
            self._models.follow_shifts(score)
            metrics.SCORE_SECONDS.observe(max(0.0, self._now() - told.arrived / 1000))

    def _decided_before(self, one: Asked) -> list[str] | None:
        # To the held out nothing was sent that could be contradicted.
        held = arm(one.snapshot.customer, self._models.policy.holdout_share) == HOLDOUT
        return None if held else self._before.kinds(one.snapshot.id, one.offset)

    def _decide(self, asked: Sequence[Asked], scores: Sequence[Score]) -> list[Decided]:
        """The batch's decisions, in order, and the scores that name them; nothing has been said yet."""
        said: dict[str, Said] = {}
        found = []
        for (snapshot, offset, _), score in zip(asked, scores, strict=True):
            before = said.get(score.customer) or self._said.get(score.customer, Said())
            hour = usual_hour([moment.at for moment in snapshot.story])
            alerts, after = decide(score, snapshot.currency, before, self._models.policy, hour, self._budget)
            said[score.customer] = after
            if score.decided is None:
                score = replace(score, decided=[alert.kind for alert in alerts])
            found.append(Decided(snapshot, offset, score, alerts, None if after == before else after))
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
        """Send what is decided by a score, and what its review says."""
        if score.sentiment is not None:
            reviews.tell(one.snapshot, score.sentiment, out)
        if one.said is not None:
            self._say(score.customer, one.said)
        for alert in one.alerts:
            self._alert(because(alert, score), one.offset, out)

    def _alert(self, alert: Alert, offset: int, out: Out) -> None:
        # A holdout's alert is a decision that is remembered but never sent: that is what measures the effect.
        if self._before.decided(alert.decision_id):
            return
        metrics.ALERTS.labels(alert.kind, alert.arm).inc()
        if alert.arm == TREATMENT:
            out(ALERTS.name, alert.customer.encode(), encode(alert), headers=origin(offset))
            metrics.ALERT_SECONDS.observe(max(0.0, self._now() - alert.arrived / 1000))

    def _recommend(self, offset: int, snapshot: Snapshot, score: Score, out: Out) -> None:
        decision_id = make_id(snapshot.customer, "recommendation", snapshot.id)
        if snapshot.trigger not in RECOMMENDED or self._before.decided(decision_id):
            return
        shown = show(snapshot, self._models.items.index, RECOMMENDED_ITEMS, self._models.explore)
        if shown.items:
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
            key = snapshot.customer.encode()
            out(RECOMMENDATIONS.name, key, encode(recommendation), headers=origin(offset))
            # Among what she then does, so that every index learns what came of it; a list of which a crash lost this
            # word is not judged.
            out(INTERACTIONS.name, key, encode(shown.told(decision_id, snapshot.customer, snapshot.at)))
            metrics.RECOMMENDATIONS.inc()

    def waiting(self) -> dict[str, Held]:
        """Lists that are still to be made: until then what they come from is not done with."""
        held = self._lists.held()
        return {} if held is None else {self._models.features: held}

    def release(self, out: Out) -> bool:
        """Make lists for a moment, where no snapshot waits for too long; the next run is always more urgent."""
        if not self._backlog.pressed(self._now()):
            for offset, snapshot, score in self._lists.next():
                self._recommend(offset, snapshot, score, out)
        return False

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """What was said since the last barrier."""
        self._measure()
        changed, self._changed = self._changed, set()
        for customer in changed:
            said = self._said.get(customer)
            yield customer.encode(), None if said is None else encode_said(said)
        if self._number == 0 and (shifts := self._models.new_shifts(self._now())) is not None:
            yield MONITOR, shifts

    def _measure(self) -> None:
        for (kind, which), windows in self._tally.windows.items():
            metrics.EFFECT_WINDOWS.labels(kind, which, self._number).set(windows)
            metrics.EFFECT_BOUGHT.labels(kind, which, self._number).set(self._tally.bought[kind, which])
        for (kind, reason), count in self._budget.held_back.items():
            metrics.HELD_BACK.labels(kind, reason).inc(count)
        self._budget.held_back.clear()

    def durable(self, out: Out) -> None:
        """Alerts never wait."""

    def tick(self, now: int, out: Out) -> None:
        """Nothing waits for the clock here: silence comes as snapshots."""


def _is_scored(asked: Asked) -> bool:
    return asked.score is not None
