"""A customer who has ordered before is likely to buy nothing for the churn horizon."""

from collections.abc import Callable

from online.policies.base import GONE, Kind, Marks, days, since_order, value
from schemas.outputs import Score


class ChurnRisk(Kind):
    """Churn above the mark, once she has left the site; VIPs have a policy of their own."""

    name = "churn_risk"
    group = "win_back"
    vip = False
    target = "churn"
    marks = Marks(high=0.75, low=0.6, cooldown_ms=days(14))
    action = "send_win_back_offer"
    channel = "email"
    facts = ("days_since_order",)

    def strength(self, score: Score) -> float | None:
        if score.trigger not in GONE or value(score, "orders_total") < 1:
            return None
        return score.churn

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        return (
            f"This customer, who {since_order(score)}, will with {score.churn:.0%} probability not buy again soon: "
            f"a win-back offer could save {money(self.at_stake(score))} a quarter."
        )
