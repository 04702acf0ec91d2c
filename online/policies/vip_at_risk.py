"""One of the best customers is drifting away: told earlier than for others, and to a person."""

from collections.abc import Callable

from online.policies.base import GONE, Kind, Marks, days, since_order, value
from schemas.outputs import Score


class VipAtRisk(Kind):
    """A VIP's churn above a lower mark than anybody else's."""

    name = "vip_at_risk"
    group = "win_back"
    vip = True
    target = "churn"
    # Above the 0.5 of a model that has learned nothing.
    marks = Marks(high=0.55, low=0.4, cooldown_ms=days(14))
    action = "call_personally"
    channel = "phone"
    facts = ("spend_total",)

    def strength(self, score: Score) -> float | None:
        if score.trigger not in GONE:
            return None
        return score.churn

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"One of your best customers, {value(score, 'orders_total'):.0f} orders worth "
            f"{money(value(score, 'spend_total'))} so far, {since_order(score)} and will with {score.churn:.0%} "
            f"probability not buy again soon: have somebody call."
        )
