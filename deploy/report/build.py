"""From what was found to the report: pure, and the same for the page, the terminal and JSON."""

import time
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from deploy.report.read import Found
from deploy.report.report import After, Item, Judged, Point, Reasons, Report, Sent, Told, Week
from deploy.report.segment import segment
from deploy.report.timeline import lines, rhythm
from online.alerts import arm
from online.orders import Change, Orders, tell
from online.words import say
from schemas.behaviours import Behaviour
from schemas.features import FEATURES
from schemas.money import to_major
from schemas.outputs import Alert, Example, Features, Interaction, Outcome, Recommendation, Score
from schemas.topics import ALERTS, DAY_MS, EXAMPLES, INTERACTIONS, OUTCOMES, RECOMMENDATIONS, SCORES, Topic
from stream.features.profile import Profile
from stream.features.vector import features_at
from stream.settings import Settings

POINTS = 500
REASONED = 5
WEEKS = 26
JUDGED = 200
_WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05
T = TypeVar("T", Alert, Example, Interaction, Outcome, Recommendation, Score)

THEMES: dict[str, tuple[str, ...]] = {
    "Lately": ("events_7d", "views_7d", "searches_7d", "cart_adds_7d", "checkouts_7d", "active_days_30d"),
    "Orders": ("orders_total", "orders_90d", "spend_total", "spend_90d", "order_value_mean", "order_value_last"),
    "Rhythm": ("days_since_order", "gap_mean_days", "overdue", "days_since_event", "tenure_days"),
    "Cart and session": ("cart_pieces", "cart_value", "cart_age_hours", "session_minutes", "session_depth"),
    "Taste": ("distinct_items", "categories", "top_category_share", "discount_share", "coupons_30d"),
    "Habits and mood": ("mobile_share", "campaign_share", "refund_share", "reviews_total", "rating_mean"),
    "Trend": ("trend_events_7d", "trend_orders_4w", "trend_spend_4w"),
}


def build(settings: Settings, found: Found) -> Report:
    """The report on whoever was found."""
    profile = found.profile
    hers = _Hers(found)
    interactions = hers.of(INTERACTIONS, Interaction)
    orders = known_orders(profile, interactions)
    now = int(time.time() * 1000) if found.clock.live else 0
    as_of = max(now, found.clock.clock, profile.last)
    features = features_at(profile, as_of, settings.currency, settings.session_gap_s * 1000)
    scores = hers.of(SCORES, Score)[-POINTS:]
    alerts = _unique(hers.of(ALERTS, Alert))
    outcomes = list(dict.fromkeys(hers.of(OUTCOMES, Outcome)))
    kind = segment(features)
    recommendations = hers.of(RECOMMENDATIONS, Recommendation)
    newest = recommendations[-1] if recommendations else None
    return Report(
        customer=profile.customer,
        asked=found.asked,
        devices=found.devices,
        signed_in=profile.known,
        as_of=as_of,
        first=profile.first,
        last=profile.last,
        events=profile.events,
        currency=settings.currency,
        holdout=arm(profile.customer, settings.holdout_share) == "holdout",
        segment=kind.name,
        segment_rule=kind.rule,
        features=themes(features),
        scores=[_point(score, n >= len(scores) - REASONED) for n, score in enumerate(scores)],
        weeks=weeks(orders, as_of, settings.currency),
        rhythm=rhythm(profile, interactions),
        timeline=lines(profile, interactions, alerts, outcomes, settings.currency),
        alerts=list(_sent(alerts, outcomes, orders, settings)),
        judged=_judged(hers.of(EXAMPLES, Example)),
        recommended_at=None if newest is None else newest.at,
        recommended=[] if newest is None else [Item(one.item, one.source, one.words) for one in newest.items],
        searched=found.searched,
    )


class _Hers:
    """The records that are hers: a device's up to when she last signed in on it."""

    def __init__(self, found: Found) -> None:
        self._records = found.records
        ids = found.profile.ids
        self._until = {name: ids.devices[name].linked for name in found.devices} if ids is not None else {}
        self._until[found.profile.customer] = 1 << 62

    def of(self, topic: Topic, kind: type[T]) -> list[T]:
        """A topic's, by event time; what cannot be read is left out."""
        decoder = msgspec.json.Decoder(kind)
        found = []
        for raw in self._records.get(topic.name, ()):
            try:
                record = decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if record.at <= self._until.get(record.customer, -1):
                found.append(record)
        return sorted(found, key=lambda record: record.at)


def known_orders(profile: Profile, interactions: list[Interaction]) -> Orders:
    """Her orders: those of the profile's ledger, and older ones as far back as interactions are kept.

    When something was given back of an order the ledger does not say: it counts as of the order's time.
    """
    orders = Orders()
    for told in interactions:
        if told.order not in profile.orders:
            tell(orders, told)
    for number, entry in profile.orders.items():
        if entry.placed:
            orders.place(entry.at, number, entry.total, entry.currency)
            back = -1 if entry.returned else entry.refunded
            if back:
                orders.change(number, Change(entry.at, 0, Behaviour.REFUND, back))
            if entry.cancelled:
                orders.change(number, Change(entry.at, 0, Behaviour.CANCEL, -1))
    return orders


def weeks(orders: Orders, as_of: int, currency: str) -> list[Week]:
    """The newest `WEEKS` weeks up to `as_of`, empty ones too, from that of the first order known."""
    standing = [order for order in orders.within(-1, as_of) if order.currency in ("", currency)]
    if not standing:
        return []
    this = _week(as_of)
    first = max(_week(standing[0].at), this - (WEEKS - 1) * _WEEK_MS)
    found = []
    for start in range(first, this + 1, _WEEK_MS):
        hers = [order for order in standing if start <= order.at < start + _WEEK_MS]
        spend = sum(order.net(as_of) or 0 for order in hers)
        found.append(Week(start, len(hers), to_major(spend, currency)))
    return found


def themes(features: Features) -> dict[str, list[Told]]:
    """The features in words by theme; those that no theme names come last."""
    named = {name for names in THEMES.values() for name in names}
    rest = tuple(feature.name for feature in FEATURES if feature.name not in named)
    return {
        theme: [Told(name, features.get(name), say(name, features.get(name))) for name in names]
        for theme, names in {**THEMES, "Everything else": rest}.items()
    }


def _week(at: int) -> int:
    return at - (at - _MONDAY_MS) % _WEEK_MS


def _point(score: Score, reasoned: bool) -> Point:
    reasons = [
        Reasons(target, [one.words for one in why], [one.weight for one in why])
        for target, why in score.reasons.items()
        if reasoned and why
    ]
    return Point(score.at, score.trigger, score.churn, score.intent, score.value, score.source, score.fallback, reasons)


def _unique(alerts: list[Alert]) -> list[Alert]:
    return list({alert.decision_id: alert for alert in alerts}.values())


def _sent(alerts: list[Alert], outcomes: list[Outcome], orders: Orders, settings: Settings) -> Iterator[Sent]:
    for alert in alerts:
        days = settings.churn_days
        bought = orders.within(alert.at, alert.at + days * DAY_MS)
        spend = sum(order.net(alert.at + days * DAY_MS) or 0 for order in bought)
        yield Sent(
            at=alert.at,
            decision_id=alert.decision_id,
            kind=alert.kind,
            severity=alert.severity,
            text=alert.text,
            action=alert.action,
            channel=alert.channel,
            probability=alert.probability,
            value_at_stake=alert.value_at_stake,
            reasons=[reason.words for reason in alert.reasons],
            outcomes=[outcome.what for outcome in outcomes if outcome.decision_id == alert.decision_id],
            after=After(
                days,
                len(bought),
                to_major(spend, settings.currency),
                (bought[0].at - alert.at) / DAY_MS if bought else None,
            ),
        )


def _judged(examples: list[Example]) -> list[Judged]:
    once: dict[str, Any] = {example.id: example for example in examples}
    return [Judged(e.at, e.target, e.served, e.label, e.amount) for e in once.values()][-JUDGED:]
