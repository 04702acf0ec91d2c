"""A customer on the site is about to buy."""

from collections.abc import Callable

from online.policies.base import Kind, Marks, days, order_value, value
from schemas.features import HOUR_MS
from schemas.outputs import Score


class HighIntent(Kind):
    """Intent above the mark while she is here; an order takes the news out of it."""

    name = "high_intent"
    group = "here"
    target = "intent"
    marks = Marks(high=0.7, low=0.5, cooldown_ms=days(2))
    action = "show_checkout_help"
    channel = "onsite"
    # As long as a session lasts that nothing more happens in.
    lasts_ms = HOUR_MS // 2
    at_once = True
    triggers = frozenset({"engaged", "cart", "checkout"})
    facts = ("cart_value", "session_depth")

    def strength(self, score: Score) -> float | None:
        return score.intent

    def at_stake(self, score: Score) -> float:
        return value(score, "cart_value") or order_value(score)

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        stake = self.at_stake(score)
        worth = f" for about {money(stake)}" if stake else ""
        return (
            f"This customer is on the site and will with {score.intent:.0%} probability buy soon{worth}: "
            f"help her to check out, without a discount."
        )

    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        stake = self.at_stake(score)
        worth = f"，金额约{money(stake)}" if stake else ""
        return f"这位顾客正在网站上，有{score.intent:.0%}的概率近期购买{worth}：请协助结账，不必打折。"
