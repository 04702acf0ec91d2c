"""Customers to report on, as `deploy.report.read` would find them."""

from typing import Any

from deploy.report.read import Found
from schemas.behaviours import Behaviour
from schemas.event import Event, Line
from schemas.outputs import Alert, Contribution, Example, Interaction, Outcome, Ranked, Recommendation, Score, encode
from schemas.topics import DAY_MS
from stream.features.apply import apply
from stream.features.marker import Marker
from stream.features.profile import Profile

T0 = 1_790_000_000_000
HOSTILE = "<script>alert(1)</script><img src=x onerror='alert(2)'>\"&\x00\u202e"


def profile_of(name: str, *events: tuple[Behaviour, float, dict[str, Any]]) -> Profile:
    """A profile that was made by these behaviours, at days after `T0`."""
    profile = Profile(name, known=True)
    for message, (behaviour, days, more) in enumerate(events, 1):
        at = T0 + round(days * DAY_MS)
        apply(
            profile,
            Event(behaviour=behaviour, at=at, customer=name, message=message, **{"currency": "USD"} | more),
            "USD",
        )
    return profile


def found(name: str = "ann", words: str = "fine", days: float = 40) -> Found:
    """A customer who ordered, was scored, alerted and recommended to; `words` are in all that she or an item says."""
    line = Line(words, 2, 1_000, category=words, brand=words, name=words)
    profile = profile_of(
        name,
        (Behaviour.SEARCH, 0, {"text": words}),
        (Behaviour.VIEW, 0.1, {"lines": (line,)}),
        (Behaviour.ORDER, 1, {"order": 1, "amount": 2_000, "lines": (line,)}),
        (Behaviour.ORDER, 15, {"order": 2, "amount": 3_000, "lines": (line,)}),
        (Behaviour.REFUND, 16, {"order": 2, "amount": 500}),
        (Behaviour.REVIEW, 17, {"rating": 2.0, "text": words, "lines": (Line(words),)}),
    )
    return Found(
        name,
        profile,
        Marker(T0 + round(days * DAY_MS), live=False),
        records={topic: [encode(record) for record in records] for topic, records in _records(name, words).items()},
        searched={"scores": {"read": 3, "of": 3}},
    )


def _records(name: str, words: str) -> dict[str, list[Any]]:
    why = [Contribution(feature="overdue", value=2.0, weight=0.4, words=words)]
    scores = [
        Score(
            id=str(n), customer=name, at=T0 + n * 5 * DAY_MS, trigger=words, arrived=0, churn=0.2 + n / 10, intent=0.5,
            value=12.0, source="online", fallback=words, models={}, reasons={"churn": why}, features={}, story=words,
        )
        for n in range(3)
    ]  # fmt: skip
    alert = Alert(
        decision_id="d", customer=name, at=T0 + 10 * DAY_MS, arrived=0, kind=words, severity="high", probability=0.7,
        value_at_stake=30.0, currency="USD", action=words, channel=words, send_hour=9, text=words, reasons=why,
        arm="treatment", propensity=0.95, score_id="2", source="online", models={},
    )  # fmt: skip
    told = [
        Interaction(
            customer=name, session=at, item=words, behaviour=kind, at=at, order=order, amount=amount, currency="USD",
            event=at,
        )
        for kind, at, order, amount in (
            (Behaviour.ORDER, T0 - 9 * DAY_MS, 9, 1_000),
            (Behaviour.CLICK, T0 - 9 * DAY_MS, 0, None),
            (Behaviour.ORDER, T0 + 15 * DAY_MS, 2, 3_000),
            (Behaviour.REFUND, T0 + 16 * DAY_MS, 2, 500),
        )
    ]  # fmt: skip
    item = Ranked(item=words, score=1.0, source=words, words=words)
    examples = [
        Example(
            id=target, customer=name, at=T0, matured=T0, target=target, label=label, amount=amount, features={},
            story="", served=0.4, bert=None, online=None,
        )
        for target, label, amount in (("churn", False, None), ("value", True, 25.0))
    ]  # fmt: skip
    recommendation = Recommendation(decision_id="r", customer=name, at=T0, trigger="order", items=[item], models={})
    return {
        "scores": scores,
        "alerts": [alert, alert],
        "interactions": told,
        "outcomes": [Outcome(decision_id="d", customer=name, at=T0 + 11 * DAY_MS, what=words)],
        "recommendations": [recommendation],
        "examples": [*examples, examples[0]],
    }
