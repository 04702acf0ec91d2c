"""A customer who has ordered before is likely to buy nothing for the churn horizon."""

from collections.abc import Callable

from online.policies.base import GONE, LEAVING, Kind, days, missed, since_order, since_order_zh, taught, value
from schemas.outputs import Score


class ChurnRisk(Kind):
    """Churn above the mark, once she has left the site and ordered nothing for a fortnight; VIPs have their own policy.

    After a month without an order it takes more: whoever is silent for so long needs no model to be noticed.
    """

    name = "churn_risk"
    group = "win_back"
    vip = False
    target = "churn"
    marks = LEAVING
    action = "send_win_back_offer"
    channel = "email"
    lasts_ms = days(14)
    triggers = GONE
    rearms = "order"
    facts = ("days_since_order",)

    def strength(self, score: Score) -> float | None:
        return score.churn if value(score, "orders_total") >= 1 and taught(score) else None

    def due(self, score: Score) -> bool:
        return super().due(score) and missed(score)

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"This customer, who {since_order(score)}, will with {score.churn:.0%} probability not buy again soon: "
            f"a win-back offer could save {money(self.at_stake(score))} a quarter."
        )

    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"这位顾客{since_order_zh(score)}，有{score.churn:.0%}的概率近期不再购买："
            f"发送挽回优惠，每季度可能挽回{money(self.at_stake(score))}。"
        )
