"""The horizon join: predictions wait for what the customer did, and become examples. Pure; times are epoch ms.

    prediction at        intent horizon         churn horizon              value horizon
    ──┼──────────────────────┼──────────────────────┼──────────────────────────┼───────── event time
      └ orders after it ─────┘ + lateness: intent   └ + lateness: churn        └ + lateness: value

A label is what the log says of event time up to the horizon's end: a cancellation or a refund after that changes
nothing, one before it does, whenever they arrive. The stage keeps one `History` a customer and one `Pending` under its
own `key`; the functions here change them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct, field

from online.history import History, Kept
from schemas.money import to_major
from schemas.outputs import Example, Features, Parts, Score, make_id

# Repeats and late comers of these days are known; what is older was decided on, and is refused.
DAYS: Final = 32
TARGETS: Final = ("intent", "churn", "value")


class Reason(StrEnum):
    """Why nobody can know what came of a prediction."""

    HANDED = "handed over"  # a device: what its visitor did next is told of the user who signed in
    FORGOTTEN = "orders forgotten"  # more orders since than are kept
    CURRENCY = "other currency"  # what was spent is not in the installation's currency
    AMOUNT = "no amount"  # an order told by a version that did not tell amounts
    ERASED = "erased"


class Lost(NamedTuple):
    """A target of a prediction that was censored, and why."""

    target: str
    reason: Reason


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
    value: float | None = None
    bert: Parts | None = None
    online: Parts | None = None
    shadow: Parts | None = None
    models: dict[str, str] = field(default_factory=dict)
    learners: dict[str, dict[str, float]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Where to keep it: a better prediction of the same customer and day takes the same place."""
        return make_id("pending", self.customer, self.day)


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
        value=score.value,
        bert=score.bert,
        online=score.online,
        shadow=score.shadow,
        models=score.models,
        learners=score.learners,
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
            kept.done = list(TARGETS)
            keys.append(make_id("pending", customer, day))
    return keys


@dataclass(frozen=True, slots=True)
class Horizons:
    """How long after a prediction its targets are decided, and how late an event may still come; all in ms.

    Without `value_ms` nobody asks what was spent. Amounts are in the main unit of `currency`.
    """

    churn_ms: int
    intent_ms: int
    lateness_ms: int
    value_ms: int | None = None
    currency: str = "USD"

    @property
    def longest_ms(self) -> int:
        """After so long every target of a prediction has matured."""
        return max(self.churn_ms, self.intent_ms, self.value_ms or 0) + self.lateness_ms

    def waiting(self, pending: Pending) -> list[str]:
        """The targets of a prediction that have not matured."""
        return [t for t in TARGETS if t not in pending.done and (t != "value" or self.value_ms is not None)]

    def due(self, pending: Pending) -> int | None:
        """When the next of its targets matures; None when all have."""
        return min((self._matures(pending, target) for target in self.waiting(pending)), default=None)

    def mature(self, pending: Pending, state: History, clock: int, lost: list[Lost] | None = None) -> list[Example]:
        """The examples of the targets whose horizon and lateness have passed at `clock`, each given once.

        They are marked done in both. What is censored gives no example, and is added to `lost`.
        """
        examples = []
        kept = state.days.get(pending.day)
        if kept is not None and kept.score != pending.id:
            kept = None
        for target in self.waiting(pending):
            if clock < self._matures(pending, target):
                continue
            pending.done.append(target)
            if kept is not None:
                if target in kept.done:
                    # The history was stored, and the prediction's own record was not, when a worker crashed.
                    continue
                kept.done.append(target)
            found = self._judge(pending, state, target)
            if isinstance(found, Example):
                examples.append(found)
            elif lost is not None:
                lost.append(found)
        return examples

    def _judge(self, pending: Pending, state: History, target: str) -> Example | Lost:
        if pending.at <= state.ended:
            return Lost(target, Reason.HANDED)
        if state.orders.forgotten > pending.at:
            return Lost(target, Reason.FORGOTTEN)
        # The order that made the score is at the very time of the score: what counts comes after it.
        end = pending.at + self._horizon(target)
        orders = state.orders.within(pending.at, end)
        if target != "value":
            return self._example(pending, target, bool(orders) == (target == "intent"))
        amounts = [order.net(end) for order in orders]
        known = [amount for amount in amounts if amount is not None]
        if len(known) < len(amounts):
            return Lost(target, Reason.AMOUNT)
        if any(order.currency != self.currency for order in orders):
            return Lost(target, Reason.CURRENCY)
        return self._example(pending, target, bool(orders), to_major(sum(known), self.currency))

    def _horizon(self, target: str) -> int:
        return {"churn": self.churn_ms, "intent": self.intent_ms, "value": self.value_ms or 0}[target]

    def _matures(self, pending: Pending, target: str) -> int:
        return pending.at + self._horizon(target) + self.lateness_ms

    def _example(self, pending: Pending, target: str, label: bool, amount: float | None = None) -> Example:
        return Example(
            id=make_id(pending.id, target),
            customer=pending.customer,
            at=pending.at,
            matured=self._matures(pending, target),
            target=target,
            label=label,
            amount=amount,
            features=pending.features,
            story=pending.story,
            served=getattr(pending, target),
            bert=getattr(pending.bert, target, None),
            online=getattr(pending.online, target, None),
            shadow=getattr(pending.shadow, target, None),
            models=pending.models,
            learners=pending.learners.get(target, {}),
        )
