"""A customer on the site is about to buy."""

from collections.abc import Callable

from online.policies.base import Kind, Marks, days, order_value, value
from schemas.outputs import Score


class HighIntent(Kind):
    """Intent above the mark while she is here; an order takes the news out of it."""

    name = "high_intent"
    group = "sale"
    target = "intent"
    marks = Marks(high=0.7, low=0.5, cooldown_ms=days(2))
    action = "show_checkout_help"
    channel = "onsite"
    facts = ("cart_value", "session_depth")

    def strength(self, score: Score) -> float | None:
        return score.intent if score.trigger in ("engaged", "cart", "checkout") else None

    def at_stake(self, score: Score) -> float:
        return value(score, "cart_value") or order_value(score)

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        stake = self.at_stake(score)
        worth = f" for about {money(stake)}" if stake else ""
        return (
            f"This customer is on the site and will with {score.intent:.0%} probability buy soon{worth}: "
            f"help her to check out, without a discount."
        )
