"""Decisions: which alerts a score gives rise to, given what was said to this customer before. Pure, in event time.

A kind fires when its strength reaches the high mark, is then disarmed until it falls below the low one
(hysteresis), and is quiet for its cool-down whatever happens. A customer hears `daily_cap` alerts a day at most.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Struct

from online.policies.bad_review import BadReview
from online.policies.base import Kind, Marks, Vip, by_name, value
from online.policies.cart_abandoned import CartAbandoned
from online.policies.churn_risk import ChurnRisk
from online.policies.high_intent import HighIntent
from online.policies.purchase_overdue import PurchaseOverdue
from online.policies.vip_at_risk import VipAtRisk
from schemas.features import DAY_MS
from schemas.hashing import hash64
from schemas.money import EXPONENTS
from schemas.outputs import Alert, Score, make_id

# In order of precedence: when the day's cap or a shared group leaves room for one, the first is it.
KINDS: Final[Mapping[str, Kind]] = by_name(
    (BadReview(), VipAtRisk(), ChurnRisk(), CartAbandoned(), HighIntent(), PurchaseOverdue())
)
REASONS: Final = 4
EVENING: Final = 18
SEEN: Final = 16


@dataclass(frozen=True, slots=True)
class Policy:
    """What an installation can choose; `marks` override a kind's own.

    `severity` is the money at stake times its probability from which an alert is medium, and high: in dollars or
    alike, and a hundred times as much in a currency without cents.
    """

    holdout_share: float = 0.05
    daily_cap: int = 2
    severity: tuple[float, float] = (20.0, 100.0)
    vip: Vip = field(default_factory=Vip)
    marks: Mapping[str, Marks] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = self.marks.keys() - KINDS.keys()
        if unknown:
            raise ValueError(f"no alerts of kind {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")

    def of(self, kind: Kind) -> Marks:
        """The marks that hold for a kind."""
        return self.marks.get(kind.name, kind.marks)


class Last(Struct, array_like=True, frozen=True):
    """What was said of one kind: when last (None: never), and whether it may fire at the next high mark."""

    at: int | None = None
    armed: bool = True


class Said(Struct, frozen=True):
    """What was said to one customer: each kind's last, alerts of the UTC `day`, and the newest scores decided.

    `seen` are ids of the scores at `at`, the newest score time decided on: a score from before is history that was
    decided on already, or came too late to speak about, and changes nothing.
    """

    kinds: dict[str, Last] = {}
    day: int = -1
    today: int = 0
    at: int = -1
    seen: list[str] = []


def arm(customer: str, share: float) -> str:
    """`holdout` for a fixed `share` of customers, chosen by a stable hash of the id; else `treatment`."""
    return "holdout" if hash64(f"holdout|{customer}") / 2**63 < share else "treatment"


def decide(score: Score, currency: str, said: Said, policy: Policy) -> tuple[list[Alert], Said]:
    """The alerts that this score gives rise to, and what will then have been said.

    Alerts of arm `holdout` are decisions too, remembered alike, but not to be sent. The same score again with the
    `Said` that came of it gives no alert and the same `Said`.
    """
    if score.at < said.at or (score.at == said.at and score.id in said.seen):
        return [], said
    day = score.at // DAY_MS
    today = said.today if day == said.day else 0
    kinds = dict(said.kinds)
    groups: set[str] = set()
    alerts: list[Alert] = []
    vip = policy.vip(score)
    for kind in KINDS.values():
        if kind.vip is not None and kind.vip != vip:
            continue
        strength = kind.strength(score)
        if strength is None:
            continue
        marks, last = policy.of(kind), kinds.get(kind.name, Last())
        if kind.event or strength < marks.low:
            last = Last(last.at, armed=True)
        quiet = last.at is not None and score.at < last.at + marks.cooldown_ms
        if (
            strength >= marks.high
            and last.armed
            and not quiet
            and kind.group not in groups
            and today < policy.daily_cap
        ):
            last = Last(score.at, armed=False)
            groups.add(kind.group)
            today += 1
            alerts.append(_alert(kind, score, currency, policy))
        kinds[kind.name] = last
    seen = [*said.seen, score.id][-SEEN:] if score.at == said.at else [score.id]
    return alerts, Said(kinds=kinds, day=day, today=today, at=score.at, seen=seen)


def _alert(kind: Kind, score: Score, currency: str, policy: Policy) -> Alert:
    probability, stake = kind.probability(score), kind.at_stake(score)
    which = arm(score.customer, policy.holdout_share)
    return Alert(
        decision_id=make_id(score.customer, kind.name, score.id),
        customer=score.customer,
        at=score.at,
        arrived=score.arrived,
        kind=kind.name,
        severity=_severity(probability * stake, currency, policy.severity),
        probability=probability,
        value_at_stake=round(stake, 2),
        currency=currency,
        action=kind.action,
        channel=kind.channel,
        send_hour=_send_hour(score, kind.channel),
        text=kind.text(score, _money(currency)),
        reasons=kind.reasons(score, REASONS),
        arm=which,
        propensity=policy.holdout_share if which == "holdout" else 1.0 - policy.holdout_share,
        score_id=score.id,
        source=score.source,
        models=score.models,
    )


def _severity(loss: float, currency: str, limits: tuple[float, float]) -> str:
    # A yen is about a cent: limits in dollars would make every alert in yen a high one.
    scale = 100.0 if EXPONENTS.get(currency, 2) == 0 else 1.0
    medium, high = limits
    return "high" if loss >= high * scale else "medium" if loss >= medium * scale else "low"


def _send_hour(score: Score, channel: str) -> int:
    """The hour (UTC) to send: now on the site and for service; else now if it is a quarter of the day in which she
    is active more often than by chance, and the evening if not.
    """
    hour = int(value(score, "hour", score.at % DAY_MS / 3_600_000)) % 24
    if channel in ("onsite", "service"):
        return hour
    return hour if value(score, "hour_share") > 0.25 else EVENING


def _money(currency: str) -> Callable[[float], str]:
    digits = EXPONENTS.get(currency, 2)
    return lambda amount: f"{amount:,.{digits}f} {currency}".rstrip()


def encode_said(said: Said) -> bytes:
    """The value for the `decisions` topic."""
    return msgspec.msgpack.encode(said)


def decode_said(raw: bytes) -> Said:
    """A `Said` from the `decisions` topic."""
    return msgspec.msgpack.decode(raw, type=Said)
