"""The horizon join: predictions wait for what the customer did, and become examples. Pure; times are epoch ms.

    prediction at        intent horizon              churn horizon
    ──┼──────────────────────┼───────────────────────────┼───────── event time
      └ purchases after it ──┘ + lateness: intent        └ + lateness: churn

The stage keeps one `History` a customer and one `Pending` under its own `key`; the functions here change them.
"""

import bisect
from dataclasses import dataclass
from typing import Final

from msgspec import Struct, field

from schemas.outputs import Example, Features, Parts, Score, make_id

PURCHASES: Final = 256
CANCELLED: Final = 256
# Repeats and late comers of these days are known; what is older was decided on, and is refused.
DAYS: Final = 32
TARGETS: Final = ("intent", "churn")


class Purchase(Struct, array_like=True):
    """One order: when, its id's hash (0 when unknown), and whether it was cancelled, so that it never was."""

    at: int
    order: int
    cancelled: bool = False


class Kept(Struct, array_like=True):
    """The prediction kept for one day, and which of its targets have matured."""

    at: int
    score: str
    done: list[str]


class History(Struct):
    """What the join knows of one customer.

    `purchases` are sorted and the newest `PURCHASES`; `forgotten` is the newest time that was evicted (-1: none).
    `cancelled` are orders whose cancellation came before the order; `days` the kept prediction of each day, the
    newest `DAYS`, and `closed` the newest day that was dropped. `censored` counts labels that nobody can know.
    Until `ended` (-1: never) it was a device whose behaviour is somebody else's now: no prediction of then is judged.
    """

    purchases: list[Purchase] = field(default_factory=list)
    forgotten: int = -1
    cancelled: list[int] = field(default_factory=list)
    days: dict[int, Kept] = field(default_factory=dict)
    closed: int = -1
    censored: int = 0
    ended: int = -1


class Pending(Struct, kw_only=True):
    """A prediction that waits for its horizon: what the example will say, `day` it is kept for, targets `done`."""

    id: str
    customer: str
    at: int
    day: int
    features: Features
    story: str
    churn: float
    intent: float
    bert: Parts | None = None
    online: Parts | None = None
    done: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Where to keep it: a better prediction of the same customer and day takes the same place."""
        return make_id("pending", self.customer, self.day)


def purchase(state: History, at: int, order: int) -> None:
    """An order was completed. The same order again is one order, at the earlier of the two times."""
    if at <= state.forgotten:
        return
    known = next((p for p in state.purchases if order and p.order == order), None)
    if known is None and not order:
        known = next((p for p in state.purchases if p.at == at and not p.order), None)
    if known is not None:
        if known.at <= at:
            return
        state.purchases.remove(known)
    cancelled = known.cancelled if known is not None else order in state.cancelled
    if order in state.cancelled:
        state.cancelled.remove(order)
    bisect.insort(state.purchases, Purchase(at, order, cancelled), key=lambda p: (p.at, p.order))
    if len(state.purchases) > PURCHASES:
        state.forgotten = state.purchases.pop(0).at
        # Others at the very moment that was evicted are forgotten with it, whatever the order of arrival.
        while state.purchases and state.purchases[0].at <= state.forgotten:
            state.purchases.pop(0)


def cancel(state: History, order: int) -> None:
    """An order was cancelled, before or after it was seen: it never was a purchase."""
    if not order:
        return
    for known in state.purchases:
        if known.order == order:
            known.cancelled = True
            return
    if order not in state.cancelled:
        state.cancelled.append(order)
        del state.cancelled[:-CANCELLED]


def predict(state: History, score: Score, day_ms: int) -> Pending | None:
    """The prediction to keep because of `score`, or None: one a customer and day of event time, the first by `at`.

    A score that comes earlier than the kept one takes its place (the same `key`) while nothing of it has matured;
    a repeated score gives the same prediction again, with what has matured already done, and None after all has.
    """
    day = score.at // day_ms
    if day <= state.closed or score.at <= state.ended:
        return None
    kept = state.days.get(day)
    if kept is not None and kept.score != score.id:
        if kept.done or (kept.at, kept.score) <= (score.at, score.id):
            return None
        kept = None
    if kept is None:
        kept = state.days[day] = Kept(score.at, score.id, [])
        if len(state.days) > DAYS:
            state.closed = min(state.days)
            del state.days[state.closed]
            if day == state.closed:
                return None
    if len(kept.done) == len(TARGETS):
        return None
    return Pending(
        id=score.id,
        customer=score.customer,
        at=score.at,
        day=day,
        features=score.features,
        story=score.story,
        churn=score.churn,
        intent=score.intent,
        bert=score.bert,
        online=score.online,
        done=list(kept.done),
    )


def end(state: History, customer: str, at: int) -> list[str]:
    """A device was handed to the user who signed in on it: the keys of its predictions up to `at`, to be dropped.

    What they still waited for is censored: what the device's visitor then did is told of the user.
    """
    state.ended = max(state.ended, at)
    keys = []
    for day, kept in list(state.days.items()):
        if kept.at <= state.ended and len(kept.done) < len(TARGETS):
            state.censored += len(TARGETS) - len(kept.done)
            kept.done = list(TARGETS)
            keys.append(make_id("pending", customer, day))
    return keys


@dataclass(frozen=True, slots=True)
class Horizons:
    """How long after a prediction its targets are decided, and how late an event may still come; all in ms."""

    churn_ms: int
    intent_ms: int
    lateness_ms: int

    def due(self, pending: Pending) -> int | None:
        """When the next of its targets matures; None when all have."""
        waiting = [self._matures(pending, target) for target in TARGETS if target not in pending.done]
        return min(waiting, default=None)

    def mature(self, pending: Pending, state: History, clock: int) -> list[Example]:
        """The examples of the targets whose horizon and lateness have passed at `clock`, each given once.

        They are marked done in both. A prediction from before the oldest kept purchase, after some were evicted,
        is censored: counted in the state, and no example.
        """
        examples = []
        for target in TARGETS:
            if target in pending.done or clock < self._matures(pending, target):
                continue
            pending.done.append(target)
            kept = state.days.get(pending.day)
            if kept is not None and kept.score == pending.id and target not in kept.done:
                kept.done.append(target)
            if state.forgotten > pending.at:
                state.censored += 1
                continue
            examples.append(self._example(pending, state, target))
        return examples

    def _horizon(self, target: str) -> int:
        return self.churn_ms if target == "churn" else self.intent_ms

    def _matures(self, pending: Pending, target: str) -> int:
        return pending.at + self._horizon(target) + self.lateness_ms

    def _example(self, pending: Pending, state: History, target: str) -> Example:
        end = pending.at + self._horizon(target)
        # The order that made the score is at the very time of the score: what counts comes after it.
        bought = any(pending.at < p.at <= end and not p.cancelled for p in state.purchases)
        churn = target == "churn"
        return Example(
            id=make_id(pending.id, target),
            customer=pending.customer,
            at=pending.at,
            matured=self._matures(pending, target),
            target=target,
            label=not bought if churn else bought,
            features=pending.features,
            story=pending.story,
            served=pending.churn if churn else pending.intent,
            bert=None if pending.bert is None else (pending.bert.churn if churn else pending.bert.intent),
            online=None if pending.online is None else (pending.online.churn if churn else pending.online.intent),
        )
