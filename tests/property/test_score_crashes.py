"""The score stage killed at any point, while its models change: what it has said stands, and is said once."""

import asyncio
import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest import mock

import msgspec
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.model import Model
from online.alerts import HOLDOUT, Policy, arm
from online.marks import marks_of
from online.said import Said, decode_said
from schemas.behaviours import Behaviour
from schemas.outputs import Alert, Interaction, Moment, Outcome, Parts, Recommendation, Score, Snapshot, encode
from schemas.topics import ALERTS, FEATURES, INTERACTIONS, OUTCOMES, RECOMMENDATIONS, SCORES
from stream.kafka.producer import Headers
from stream.kafka.sent import Sent
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.asking import Version
from stream.stages.models import Models
from stream.stages.score import RECOMMENDED, ScorePartition

NOW = 1_700_000_000
HOUR = 3_600_000
HELD = 0.2
LATE_S = 0.4
# Alerts are few: with these there are many.
MARKS = marks_of(
    {
        "high_intent": {"high": 0.5, "low": 0.4, "cooldown_days": 0.2, "daily": 99},
        "churn_risk": {"high": 0.5, "low": 0.4, "late": 0.5, "cooldown_days": 0.2, "daily": 99},
    }
)
MODEL = Model.load()
TOPICS = (SCORES.name, ALERTS.name, RECOMMENDATIONS.name)


class Fickle:
    """A BERT that says something else in every life."""

    version = "test"

    def __init__(self, life: int) -> None:
        self._life = life

    async def score(self, texts: Sequence[str]) -> list[Parts]:
        await asyncio.sleep(0)
        return [self._says(text) for text in texts]

    def _says(self, text: str) -> Parts:
        digest = hashlib.sha256(f"{self._life}{text}".encode()).digest()
        return Parts(churn=digest[0] / 256, intent=digest[1] / 256)

    async def score_reviews(self, texts: Sequence[str]) -> list[float]:
        return [0.5] * len(texts)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Shop:
    """What Kafka holds: what is to be read, each topic's records with their origins, the store, and the commit."""

    log: list[Snapshot | Outcome]
    topics: dict[str, list[tuple[int, bytes]]] = field(default_factory=lambda: {topic: [] for topic in TOPICS})
    store: dict[bytes, bytes | None] = field(default_factory=dict)
    committed: int = 0

    def sent(self) -> Iterator[Sent]:
        for topic in TOPICS:
            for origin, value in self.topics[topic]:
                yield Sent(topic, value, origin, origin >= self.committed)


class Life:
    """A worker from its start until it is killed; what it sends waits for `arrive`."""

    def __init__(self, shop: Shop, number: int) -> None:
        self._shop = shop
        self._outbox: dict[str, list[tuple[int, bytes]]] = {topic: [] for topic in TOPICS}
        models = Models(Settings(score_explain_s=0))
        models.policy = Policy(holdout_share=HELD, daily_cap=99, weekly_cap=99, marks=MARKS)
        models.bert.use(Version("bert", MODEL, Fickle(number)))
        for n in range(40):
            models.items.index.learn_one(viewed(f"visitor-{n // 4}", f"item-{(n * (number + 1)) % 7}", n))
        models.ready.set()
        self._now = 0.0
        self.state = ScorePartition(models, lambda: self._now, sent=shop.sent)
        for key, value in shop.store.items():
            self.state.restore(key, value)
        self.state.recall()
        self._read = shop.committed

    async def read(self, upto: int) -> None:
        for offset in range(self._read, max(self._read, upto)):
            one = self._shop.log[offset]
            # Every third waited for so long that it is scored without BERT, and its list is made later.
            self._now = one.at / 1000 + (LATE_S if offset % 3 == 1 else 0.0)
            topic = FEATURES.name if isinstance(one, Snapshot) else OUTCOMES.name
            record = SimpleNamespace(key=one.customer.encode(), value=encode(one), offset=offset)
            await self.state.process(Run(TP(topic, 0), [record]), self._out)
            self._read = offset + 1
            if offset % 4 == 0:
                self.state.release(self._out)

    def release(self) -> None:
        self._now += 1.0
        while self.state.waiting():
            self.state.release(self._out)

    def _out(
        self,
        topic: str,
        key: bytes | None,  # noqa: ARG002
        value: bytes | None,
        partition: int | None = None,  # noqa: ARG002
        headers: Headers | None = None,
    ) -> None:
        if topic == INTERACTIONS.name:
            # That a list was shown: told beside the list.
            return
        assert value is not None
        assert headers is not None
        self._outbox[topic].append((int(dict(headers)["origin"]), value))

    def arrive(self, shares: dict[str, float]) -> None:
        """Of what was sent to each topic, only the first part arrives."""
        for topic, records in self._outbox.items():
            self._shop.topics[topic] += records[: round(shares.get(topic, 1.0) * len(records))]
            records.clear()

    def barrier(self, state: bool = True, commit: bool = True) -> None:
        self.arrive({})
        if state:
            self._shop.store |= dict(self.state.changes())
            if commit:
                held = self.state.waiting().get(FEATURES.name)
                self._shop.committed = self._read if held is None else held.first


def viewed(customer: str, item: str, at: int) -> Interaction:
    return Interaction(customer=customer, session=at // 4, item=item, behaviour=Behaviour.VIEW, at=at)


@st.composite
def logs(draw: st.DrawFn) -> list[Snapshot | Outcome]:
    """Snapshots in order of time, some of them said again by a profile worker that was killed, and unsubscriptions."""
    found: list[Snapshot | Outcome] = []
    for n in range(draw(st.integers(1, 30))):
        customer, at = draw(st.sampled_from("abcd")), NOW * 1000 - (100 - 3 * n) * HOUR
        if draw(st.integers(0, 7)) == 0:
            found.append(Outcome(customer=customer, at=at, what="unsubscribed", channel="onsite"))
            continue
        found.append(
            Snapshot(
                id=f"{customer}{n}", customer=customer, at=at, arrived=at,
                trigger=draw(st.sampled_from(["engaged", "cart", "session_end", "order", "silence_30"])),
                features={"orders_total": 3.0, "days_since_order": 20.0, "hour": 9.0},
                story=[Moment(at, Behaviour.VIEW, category=f"shelf {n}")],
            )
        )  # fmt: skip
        if draw(st.integers(0, 5)) == 0:
            found += found[-draw(st.integers(1, 4)) :]
    return found


share = st.floats(0, 1)
crashes = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.fixed_dictionaries(dict.fromkeys(TOPICS, share)),
              st.booleans(), st.booleans()),
    max_size=4,
)  # fmt: skip


async def live(shop: Shop, struck: list[tuple[int, int, dict[str, float], bool, bool]]) -> list[dict[str, list[Any]]]:
    """One life after the other; what had arrived when each ended."""
    seen = []
    for number, (more, lost, arrived, state, commit) in enumerate(struck):
        life = Life(shop, number)
        await life.read(min(len(shop.log), shop.committed + more))
        life.barrier(state, commit)
        await life.read(min(len(shop.log), shop.committed + more + lost))
        life.arrive(arrived)
        seen.append({topic: list(records) for topic, records in shop.topics.items()})
    last = Life(shop, len(struck))
    await last.read(len(shop.log))
    last.release()
    last.barrier()
    return seen


@settings(max_examples=80, deadline=None)
@given(logs(), crashes)
def test_what_was_said_stands_and_is_said_once(
    log: list[Snapshot | Outcome], struck: list[tuple[int, int, dict[str, float], bool, bool]]
) -> None:
    shop = Shop(log)
    # Hours go by from one snapshot to the next: no list is dropped for that.
    with mock.patch("stream.stages.lists.STALE_S", math.inf):
        seen = asyncio.run(live(shop, struck))
    recommended = {one.id for one in log if isinstance(one, Snapshot) and one.trigger in RECOMMENDED}
    assert len(shop.topics[RECOMMENDATIONS.name]) == len(recommended)
    scores = [msgspec.json.decode(value, type=Score) for _, value in shop.topics[SCORES.name]]
    assert Counter(score.id for score in scores) == Counter({one.id for one in log if isinstance(one, Snapshot)})
    alerts = [msgspec.json.decode(value, type=Alert) for _, value in shop.topics[ALERTS.name]]
    lists = [msgspec.json.decode(value, type=Recommendation) for _, value in shop.topics[RECOMMENDATIONS.name]]
    for decisions in (alerts, lists):
        assert len({one.decision_id for one in decisions}) == len(decisions)
    held = {customer for customer in "abcd" if arm(customer, HELD) == HOLDOUT}
    decided = {(score.id, kind) for score in scores for kind in score.decided or () if score.customer not in held}
    assert decided == {(alert.score_id, alert.kind) for alert in alerts}
    # What was sent is never taken back, nor reordered: each topic only grows.
    for before in seen:
        for topic, records in before.items():
            assert shop.topics[topic][: len(records)] == records
    for topic, sent in shop.topics.items():
        origins = [origin for origin, _ in sent]
        assert origins == sorted(origins), topic
    _remembered(shop, scores, alerts)


def _remembered(shop: Shop, scores: list[Score], alerts: list[Alert]) -> None:
    """Caps and cool-downs go by what was sent: the store's last words of each kind are its last alert's time."""
    said = {key.decode(): decode_said(value) for key, value in shop.store.items() if value and key}
    last: dict[tuple[str, str], int] = {}
    for alert in sorted(alerts, key=lambda one: one.at):
        assert alert.at - last.get((alert.customer, alert.kind), 0) >= MARKS[alert.kind].cooldown_ms
        last[alert.customer, alert.kind] = alert.at
    for (customer, kind), at in last.items():
        assert said.get(customer, Said()).kinds[kind].at == at
    assert {one.customer for one in scores} <= said.keys()
