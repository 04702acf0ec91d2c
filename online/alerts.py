"""Decisions: which alerts a score gives rise to, given what was said to this customer before. Pure, in event time.

A kind fires when its strength reaches the high mark at a moment that is its own, is then disarmed until it falls below
the low one or, for a win-back, until she orders (hysteresis), and is quiet for its cool-down after itself and after
what is more urgent in its group. A customer hears `daily_cap` alerts a day and `weekly_cap` in seven days at most, of
one kind its marks' `daily` a day, and none by a channel that she has unsubscribed from. The shop may have a budget.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from online.budget import Budget
from online.policies.bad_review import BadReview
from online.policies.base import Kind, Marks, Vip, by_name, value
from online.policies.cart_abandoned import CartAbandoned
from online.policies.churn_risk import ChurnRisk
from online.policies.high_intent import HighIntent
from online.policies.purchase_overdue import PurchaseOverdue
from online.policies.vip_at_risk import VipAtRisk
from online.rhythm import next_at
from online.said import SEEN, Last, Said, Spoken
from online.uplift import Trial
from schemas.features import DAY_MS, HOUR_MS
from schemas.hashing import hash64
from schemas.money import EXPONENTS
from schemas.outputs import Alert, Score, make_id

# In order of precedence: what is more urgent speaks first, and keeps the others of its group quiet.
KINDS: Final[Mapping[str, Kind]] = by_name(
    (BadReview(), VipAtRisk(), ChurnRisk(), CartAbandoned(), HighIntent(), PurchaseOverdue())
)
# A kind itself and what is more urgent in its group: after these it is quiet.
_LOUDER: Final = {
    name: [k for k in list(KINDS.values())[: number + 1] if k.group == KINDS[name].group]
    for number, name in enumerate(KINDS)
}
REASONS: Final = 4
EVENING: Final = 18
HOLDOUT: Final = "holdout"
TREATMENT: Final = "treatment"


@dataclass(frozen=True, slots=True)
class Policy:
    """What an installation can choose; `marks` override a kind's own.

    `severity` is the money to be expected of an alert from which it is medium, and high: in dollars or alike, and a
    hundred times as much in a currency without cents. `effect_ms` is how long after a decision an order counts.
    """

    holdout_share: float = 0.05
    daily_cap: int = 2
    weekly_cap: int = 4
    severity: tuple[float, float] = (20.0, 100.0)
    vip: Vip = field(default_factory=Vip)
    marks: Mapping[str, Marks] = field(default_factory=dict)
    effect_ms: int = 14 * DAY_MS

    def __post_init__(self) -> None:
        unknown = self.marks.keys() - KINDS.keys()
        if unknown:
            raise ValueError(f"no alerts of kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")

    def of(self, kind: Kind) -> Marks:
        """The marks that hold for a kind."""
        return self.marks.get(kind.name, kind.marks)


def arm(customer: str, share: float) -> str:
    """`holdout` for a fixed `share` of customers, chosen by a stable hash of the id; else `treatment`."""
    return HOLDOUT if hash64(f"holdout|{customer}") / 2**63 < share else TREATMENT


def decide(
    score: Score,
    currency: str,
    said: Said,
    policy: Policy,
    usual_hour: int | None = None,
    budget: Budget | None = None,
) -> tuple[list[Alert], Said]:
    """The alerts that this score gives rise to, and what will then have been said. Of the budget it spends them.

    `usual_hour` is when she is mostly active (UTC; None: not known). Alerts of arm `holdout` are decisions too,
    remembered alike, but not to be sent. The same score again with the `Said` that came of it gives no alert and the
    same `Said`. A score that names what was `decided` by it gives just that, whatever would be decided now.
    """
    if score.at < said.at or (score.at == said.at and score.id in said.seen):
        return [], said
    seen = [*said.seen, score.id][-SEEN:] if score.at == said.at else [score.id]
    ordered = score.trigger == "order"
    trials = {name: trial.closed(score.at) for name, trial in said.trials.items()}
    if ordered:
        trials = {name: trial.ordered(score.at) for name, trial in trials.items()}
    after = Said(dict(said.kinds), score.at, seen, said.lately(score.at), said.refused, trials)
    vip = policy.vip(score)
    named = score.decided or ()
    fired = [
        kind
        for kind in KINDS.values()
        if (kind.name in named or kind.vip in (None, vip)) and _fires(kind, score, after, policy, budget)
    ]
    return [_alert(kind, score, currency, policy, usual_hour) for kind in fired], after


def because(alert: Alert, score: Score) -> Alert:
    """The alert with the reasons that its score has by now."""
    return replace(alert, reasons=KINDS[alert.kind].reasons(score, REASONS))


def _fires(kind: Kind, score: Score, said: Said, policy: Policy, budget: Budget | None) -> bool:
    """Whether a kind speaks; what this changes is noted in `said`, and in the budget, which is asked last."""
    strength = kind.strength(score)
    named = score.decided is not None and kind.name in score.decided
    if strength is None and not named:
        return False
    marks, last = policy.of(kind), said.kinds.get(kind.name, Last())
    low = strength is not None and strength < marks.low
    armed = last.armed or kind.event or low or score.trigger == kind.rearms
    high = strength is not None and strength >= kind.mark(score, marks)
    free = score.decided is None and armed and high and kind.due(score)
    fires = named or (free and _may(kind, score, marks, said, policy) and _room(kind, score, budget))
    said.kinds[kind.name] = Last(score.at, armed=False) if fires else Last(last.at, armed)
    if fires:
        held = arm(score.customer, policy.holdout_share) == HOLDOUT
        if budget is not None and not held:
            budget.spend(kind.name, score.at)
        said.spoken.append(Spoken(score.at, kind.name))
        said.trials[kind.name] = said.trials.get(kind.name, Trial()).decided(score.at, policy.effect_ms, held=held)
    return fires


def _may(kind: Kind, score: Score, marks: Marks, said: Said, policy: Policy) -> bool:
    """Whether caps, cool-downs and the customer herself leave room for one more of this kind."""
    at = score.at
    return (
        said.accepts(kind.channel)
        and said.today(at) < policy.daily_cap
        and said.today(at, kind.name) < marks.daily
        and said.week(at) < policy.weekly_cap
        and not any(_quiet(other, at, marks.cooldown_ms, said) for other in _LOUDER[kind.name])
    )


def _room(kind: Kind, score: Score, budget: Budget | None) -> bool:
    """Whether the budget has room for one more: asked before anybody looks at whether she is held out."""
    return budget is None or budget.allows(kind.name, score.customer, score.at, kind.expected(score))


def _quiet(kind: Kind, at: int, cooldown_ms: int, said: Said) -> bool:
    last = said.kinds.get(kind.name, Last()).at
    return last is not None and at < last + cooldown_ms


def _alert(kind: Kind, score: Score, currency: str, policy: Policy, usual_hour: int | None) -> Alert:
    which = arm(score.customer, policy.holdout_share)
    money = _money(currency)
    send_at = score.at if kind.at_once else next_at(_send_hour(score, usual_hour), score.at)
    return Alert(
        decision_id=make_id(score.customer, kind.name, score.id),
        customer=score.customer,
        at=score.at,
        arrived=score.arrived,
        kind=kind.name,
        severity=_severity(kind.expected(score), currency, policy.severity),
        probability=kind.probability(score),
        value_at_stake=round(kind.at_stake(score), 2),
        currency=currency,
        action=kind.action,
        channel=kind.channel,
        send_hour=send_at // HOUR_MS % 24,
        send_at=send_at,
        expires_at=score.at + kind.lasts_ms,
        text=kind.text(score, money),
        text_zh=kind.text_zh(score, money),
        reasons=kind.reasons(score, REASONS),
        arm=which,
        propensity=policy.holdout_share if which == HOLDOUT else 1.0 - policy.holdout_share,
        score_id=score.id,
        source=score.source,
        models=score.models,
    )


def _severity(expected: float, currency: str, limits: tuple[float, float]) -> str:
    medium, high = (limit * _scale(currency) for limit in limits)
    return "high" if expected >= high else "medium" if expected >= medium else "low"


def _scale(currency: str) -> float:
    # A yen is about a cent: limits in dollars would make every alert in yen a high one.
    return 100.0 if EXPONENTS.get(currency, 2) == 0 else 1.0


def _send_hour(score: Score, usual_hour: int | None) -> int:
    """Her usual hour; where that is not known, now if she is active in this quarter of the day, else the evening."""
    if usual_hour is not None:
        return usual_hour
    if value(score, "hour_share") > 0.25:
        return score.at // HOUR_MS % 24
    return EVENING


def _money(currency: str) -> Callable[[float], str]:
    digits = EXPONENTS.get(currency, 2)
    return lambda amount: f"{amount:,.{digits}f} {currency}".rstrip()
