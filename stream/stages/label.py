"""label: predictions and what customers then did in; training examples out, once the horizon has passed."""

from collections.abc import Iterator
from heapq import heappop, heappush

import msgspec

from online.labels import History, Horizons, Pending, cancel, end, predict, purchase
from schemas.behaviours import Behaviour
from schemas.outputs import Interaction, Score, encode
from schemas.topics import DAY_MS, EXAMPLES, INTERACTIONS, PENDING, SCORES
from stream import metrics
from stream.kafka.stage import Stage
from stream.kafka.state import Out
from stream.kafka.transport import Run
from stream.settings import Settings

_scores = msgspec.json.Decoder(Score)
_interactions = msgspec.json.Decoder(Interaction)
_histories = msgspec.msgpack.Decoder(History)
_pendings = msgspec.msgpack.Decoder(Pending)
_pack = msgspec.msgpack.Encoder()

# Two kinds of record share the store: a customer's history, and each prediction that waits.
_HISTORY, _PENDING = b"h:", b"p:"


def waits_for(key: bytes, value: bytes | None, customer: str) -> bool:
    """Whether a record of the store is a customer's: her history, or a prediction of hers that waits."""
    if key[:2] == _HISTORY:
        return key[2:] == customer.encode()
    return value is not None and customer.encode() in value and _pendings.decode(value).customer == customer


def stage(settings: Settings) -> Stage:
    """The label stage."""
    horizons = Horizons(settings.churn_days * DAY_MS, settings.intent_days * DAY_MS, settings.lateness_s * 1000)
    scores = settings.topic(SCORES.name)
    return Stage(
        settings,
        "label",
        (SCORES, INTERACTIONS),
        PENDING,
        lambda number: LabelPartition(number, horizons, scores, settings.lateness_s * 1000),
    )


class LabelPartition:
    """One partition: histories, waiting predictions, and a heap of when each matures.

    The clock is the newest event time among the interactions; scores come behind it and do not move it.
    """

    def __init__(self, number: int, horizons: Horizons, scores: str, lateness_ms: int) -> None:
        self._number = number
        self._horizons = horizons
        self._scores = scores
        self._lateness = lateness_ms
        self._clock = 0
        self._histories: dict[str, History] = {}
        self._pending: dict[str, Pending] = {}
        self._due: list[tuple[int, str]] = []
        self._changed: set[bytes] = set()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """A history or a waiting prediction, as `changes` wrote it."""
        kind, name = key[:2], key[2:].decode()
        if kind == _HISTORY and value is not None:
            history = self._histories[name] = _histories.decode(value)
            self._clock = max(self._clock, history.purchases[-1].at if history.purchases else 0)
        elif kind == _HISTORY:
            self._histories.pop(name, None)
        elif kind == _PENDING:
            self._pending.pop(name, None)
            if value is not None:
                self._wait(_pendings.decode(value))

    async def process(self, run: Run, out: Out) -> None:
        """Predictions and behaviours, then what has matured by the new clock."""
        is_score = run.records[0].topic == self._scores
        for record in run.records:
            if record.value is None:
                self._forget(record.key.decode())
            elif is_score:
                self._predicted(_scores.decode(record.value))
            else:
                self._did(_interactions.decode(record.value))
        self._mature(out)

    def durable(self, out: Out) -> None:
        """Examples are sent as they mature."""

    def tick(self, now: int, out: Out) -> None:
        """Once caught up with the wall clock, follow it."""
        if self._clock > now - self._lateness:
            self._clock = max(self._clock, now)
            self._mature(out)

    def _forget(self, customer: str) -> None:
        """A customer is erased; both topics say so, each behind all that it says of her."""
        if self._histories.pop(customer, None) is not None:
            self._changed.add(_HISTORY + customer.encode())
        for key in [key for key, pending in self._pending.items() if pending.customer == customer]:
            del self._pending[key]
            self._changed.add(_PENDING + key.encode())
        metrics.PENDING.labels(self._number).set(len(self._pending))

    def _predicted(self, score: Score) -> None:
        history = self._histories.setdefault(score.customer, History())
        pending = predict(history, score, DAY_MS)
        self._changed.add(_HISTORY + score.customer.encode())
        if pending is not None:
            self._wait(pending)
            self._changed.add(_PENDING + pending.key.encode())

    def _did(self, interaction: Interaction) -> None:
        self._clock = max(self._clock, interaction.at)
        if interaction.behaviour not in (Behaviour.ORDER, Behaviour.CANCEL, Behaviour.IDENTIFY):
            return
        history = self._histories.setdefault(interaction.customer, History())
        if interaction.behaviour == Behaviour.ORDER:
            purchase(history, interaction.at, interaction.order)
        elif interaction.behaviour == Behaviour.IDENTIFY:
            self._ended(history, interaction)
        else:
            cancel(history, interaction.order)
        self._changed.add(_HISTORY + interaction.customer.encode())

    def _ended(self, history: History, interaction: Interaction) -> None:
        censored = history.censored
        for key in end(history, interaction.customer, interaction.at):
            if self._pending.pop(key, None) is not None:
                self._changed.add(_PENDING + key.encode())
        metrics.CENSORED.inc(history.censored - censored)

    def _wait(self, pending: Pending) -> None:
        due = self._horizons.due(pending)
        if due is not None:
            self._pending[pending.key] = pending
            heappush(self._due, (due, pending.key))

    def _mature(self, out: Out) -> None:
        while self._due and self._due[0][0] <= self._clock:
            due, key = heappop(self._due)
            pending = self._pending.get(key)
            if pending is None or self._horizons.due(pending) != due:
                continue
            history = self._histories.setdefault(pending.customer, History())
            censored = history.censored
            for example in self._horizons.mature(pending, history, self._clock):
                out(EXAMPLES.name, example.id.encode(), encode(example), 0)
                metrics.EXAMPLES.labels(example.target, str(example.label).lower()).inc()
            metrics.CENSORED.inc(history.censored - censored)
            self._changed.update((_PENDING + key.encode(), _HISTORY + pending.customer.encode()))
            del self._pending[key]
            self._wait(pending)
        metrics.PENDING.labels(self._number).set(len(self._pending))

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Histories and predictions changed since the last barrier; a prediction that is done is deleted."""
        changed, self._changed = self._changed, set()
        for key in changed:
            name = key[2:].decode()
            kept = self._histories.get(name) if key[:2] == _HISTORY else self._pending.get(name)
            yield key, None if kept is None else _pack.encode(kept)
