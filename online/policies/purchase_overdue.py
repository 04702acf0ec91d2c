"""A regular customer's usual time to order has passed."""

from collections.abc import Callable

from online.policies.base import GONE, Kind, Marks, days, since_order, value
from schemas.outputs import Score


class PurchaseOverdue(Kind):
    """Days since the last order over the usual gap between orders, once there were three orders to know it by."""

    name = "purchase_overdue"
    group = "win_back"
    target = "churn"
    marks = Marks(high=1.5, low=1.0, cooldown_ms=days(21))
    action = "send_reorder_reminder"
    channel = "email"
    facts = ("overdue",)

    def strength(self, score: Score) -> float | None:
        if score.trigger not in GONE or value(score, "orders_total") < 3:
            return None
        return score.features.get("overdue")

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"This customer {since_order(score)} but usually orders every {value(score, 'gap_mean_days'):.0f} days: "
            f"a reminder now could bring back an order of about {money(value(score, 'order_value_mean'))}."
        )

    def at_stake(self, score: Score) -> float:
        return max(0.0, value(score, "order_value_mean"))
