"""A regular customer's usual time to order has passed."""

from collections.abc import Callable
from typing import Final

from online.policies.base import GONE, Kind, Marks, days, since_order, since_order_zh, value
from schemas.outputs import Score

# Of regular customers whose usual time has passed, most come by themselves within the week.
BY_HERSELF: Final = 0.5


class PurchaseOverdue(Kind):
    """Days since the last order over the usual gap between orders, once there were three orders to know it by.

    Nobody is reminded who will probably order within the intent horizon without it.
    """

    name = "purchase_overdue"
    group = "win_back"
    target = "churn"
    marks = Marks(high=1.5, low=1.0, cooldown_ms=days(21))
    action = "send_reorder_reminder"
    channel = "email"
    triggers = GONE
    rearms = "order"
    facts = ("overdue",)

    def strength(self, score: Score) -> float | None:
        return score.features.get("overdue") if value(score, "orders_total") >= 3 else None

    def due(self, score: Score) -> bool:
        return super().due(score) and score.intent <= BY_HERSELF

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"This customer {since_order(score)} but usually orders every {value(score, 'gap_mean_days'):.0f} days: "
            f"a reminder now could bring back an order of about {money(self.at_stake(score))}."
        )

    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"这位顾客{since_order_zh(score)}，而平时每{value(score, 'gap_mean_days'):.0f}天下单一次："
            f"现在提醒，可能带回一张约{money(self.at_stake(score))}的订单。"
        )

    def at_stake(self, score: Score) -> float:
        return max(0.0, value(score, "order_value_mean"))
