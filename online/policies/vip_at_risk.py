"""One of the best customers is drifting away: told to a person, who calls."""

from collections.abc import Callable

from online.policies.base import GONE, LEAVING, Kind, days, missed, since_order, since_order_zh, taught, value
from schemas.outputs import Score


class VipAtRisk(Kind):
    """A VIP's churn above the same marks, and after the same fortnight, as anybody else's."""

    name = "vip_at_risk"
    group = "win_back"
    vip = True
    target = "churn"
    marks = LEAVING
    action = "call_personally"
    channel = "phone"
    lasts_ms = days(7)
    triggers = GONE
    rearms = "order"
    facts = ("spend_total",)

    def strength(self, score: Score) -> float | None:
        return score.churn if taught(score) else None

    def due(self, score: Score) -> bool:
        return super().due(score) and missed(score)

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"One of your best customers, {value(score, 'orders_total'):.0f} orders worth "
            f"{money(value(score, 'spend_total'))} so far, {since_order(score)} and will with {score.churn:.0%} "
            f"probability not buy again soon: have somebody call."
        )

    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"您最好的顾客之一，累计下单{value(score, 'orders_total'):.0f}次、"
            f"消费{money(value(score, 'spend_total'))}，{since_order_zh(score)}，"
            f"有{score.churn:.0%}的概率近期不再购买：请安排专人致电。"
        )
