"""label: predictions and what customers then did in; training examples out, once the horizon has passed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

import msgspec

from online.history import History, decode_history
from online.labels import Horizons, Lost, Pending, Reason, end, predict
from online.orders import tell
from schemas.behaviours import Behaviour
from schemas.outputs import Example, Interaction, Score, encode
from schemas.topics import DAY_MS, EXAMPLES, INTERACTIONS, PENDING, SCORES
from stream import metrics
from stream.kafka.stage import Stage
from stream.kafka.state import Out
from stream.kafka.transport import Run
from stream.settings import Settings

_scores = msgspec.json.Decoder(Score)
_interactions = msgspec.json.Decoder(Interaction)
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
    horizons = Horizons(
        churn_ms=settings.churn_days * DAY_MS,
        intent_ms=settings.intent_days * DAY_MS,
        lateness_ms=settings.lateness_s * 1000,
        value_ms=settings.value_days * DAY_MS,
        currency=settings.currency,
    )
    scores, ttl = settings.topic(SCORES.name), settings.profile_ttl_days * DAY_MS
    return Stage(
        settings,
        "label",
        (SCORES, INTERACTIONS),
        PENDING,
        lambda number: LabelPartition(number, horizons, scores, ttl),
    )


class LabelPartition:
    """One partition: histories, waiting predictions, and a heap of when each matures.

    The clock is the newest event time among the interactions; scores come behind it and do not move it. A history that
    nothing has touched for `ttl_ms` of it, and longer than any horizon, is forgotten: silence has been learned by then.
    """

    def __init__(self, number: int, horizons: Horizons, scores: str, ttl_ms: int) -> None:
        self._number = number
        self._horizons = horizons
        self._scores = scores
        self._ttl = max(ttl_ms, horizons.longest_ms + horizons.lateness_ms)
        self._clock = 0
        # The one that was touched longest ago comes first.
        self._histories: dict[str, History] = {}
        self._pending: dict[str, Pending] = {}
        self._due: list[tuple[int, str]] = []
        self._changed: set[bytes] = set()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """A history or a waiting prediction, as `changes` wrote it."""
        kind, name = key[:2], key[2:].decode()
        if kind == _HISTORY:
            self._histories.pop(name, None)
            if value is not None:
                history = self._histories[name] = decode_history(value)
                self._clock = max(self._clock, history.orders.newest)
        elif kind == _PENDING:
            self._pending.pop(name, None)
            if value is not None:
                self._wait(_pendings.decode(value))

    async def process(self, run: Run, out: Out) -> None:
        """Predictions and behaviours, then what has matured by the new clock."""
        is_score = run.tp.topic == self._scores
        for record in run.records:
            if record.value is None:
                self._forget((record.key or b"").decode())
            elif is_score:
                self._predicted(_scores.decode(record.value))
            else:
                self._did(_interactions.decode(record.value))
        self._advance(out)

    def durable(self, out: Out) -> None:
        """Examples are sent as they mature."""

    def tick(self, now: int, out: Out) -> None:
        """Once caught up with the wall clock, follow it."""
        if self._clock > now - self._horizons.lateness_ms:
            self._clock = max(self._clock, now)
            self._advance(out)

    def _forget(self, customer: str) -> None:
        """A customer is erased; both topics say so, each behind all that it says of her."""
        if self._histories.pop(customer, None) is not None:
            self._changed.add(_HISTORY + customer.encode())
        self._drop([key for key, pending in self._pending.items() if pending.customer == customer], Reason.ERASED)

    def _history(self, customer: str, at: int) -> History:
        """A customer's history, to be changed because of something at `at`."""
        history = self._histories.pop(customer, None) or History()
        self._histories[customer] = history
        history.touched = max(history.touched, self._clock, at)
        self._changed.add(_HISTORY + customer.encode())
        return history

    def _predicted(self, score: Score) -> None:
        pending = predict(self._history(score.customer, score.at), score, DAY_MS)
        if pending is not None:
            self._wait(pending)
            self._changed.add(_PENDING + pending.key.encode())

    def _did(self, interaction: Interaction) -> None:
        if interaction.shown is not None:
            return  # No behaviour of hers; a list is shown by the wall clock, whatever time is being replayed.
        self._clock = max(self._clock, interaction.at)
        if interaction.order:
            tell(self._history(interaction.customer, interaction.at).orders, interaction)
        elif interaction.behaviour == Behaviour.IDENTIFY:
            history = self._history(interaction.customer, interaction.at)
            self._drop(end(history, interaction.customer, interaction.at), Reason.HANDED)

    def _drop(self, keys: Iterable[str], reason: Reason) -> None:
        """Predictions of which nobody will know what came."""
        for key in keys:
            pending = self._pending.pop(key, None)
            if pending is not None:
                self._changed.add(_PENDING + key.encode())
                _measure_lost(Lost(target, reason) for target in self._horizons.waiting(pending))

    def _wait(self, pending: Pending) -> None:
        due = self._horizons.due(pending)
        if due is not None:
            self._pending[pending.key] = pending
            heappush(self._due, (due, pending.key))

    def _advance(self, out: Out) -> None:
        while self._due and self._due[0][0] <= self._clock:
            due, key = heappop(self._due)
            pending = self._pending.get(key)
            if pending is not None and self._horizons.due(pending) == due:
                self._mature(pending, out)
        self._expire()
        metrics.PENDING.labels(self._number).set(len(self._pending))

    def _mature(self, pending: Pending, out: Out) -> None:
        lost: list[Lost] = []
        for example in self._horizons.mature(pending, self._history(pending.customer, pending.at), self._clock, lost):
            out(EXAMPLES.name, example.id.encode(), encode(example), 0)
            self._measure(example)
        _measure_lost(lost)
        self._changed.add(_PENDING + pending.key.encode())
        del self._pending[pending.key]
        self._wait(pending)

    def _expire(self) -> None:
        while self._histories:
            customer, oldest = next(iter(self._histories.items()))
            if oldest.touched > self._clock - self._ttl:
                return
            del self._histories[customer]
            self._changed.add(_HISTORY + customer.encode())

    def _measure(self, example: Example) -> None:
        metrics.EXAMPLES.labels(example.target, str(example.label).lower()).inc()
        metrics.LABEL_DELAY.labels(example.target).observe((self._clock - example.at) / 1000)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Histories and predictions changed since the last barrier; a prediction that is done is deleted.

        Histories come first: they know what has matured, should a crash leave a prediction's own record as it was.
        """
        changed, self._changed = self._changed, set()
        for key in sorted(changed):
            name = key[2:].decode()
            kept = self._histories.get(name) if key[:2] == _HISTORY else self._pending.get(name)
            yield key, None if kept is None else _pack.encode(kept)


def _measure_lost(lost: Iterable[Lost]) -> None:
    for (target, reason), count in Counter(lost).items():
        metrics.CENSORED.labels(target, reason.value).inc(count)
