"""A customer left with goods in the cart."""

from collections.abc import Callable

from online.policies.base import Kind, Marks, days, order_value, value
from schemas.outputs import Score


class CartAbandoned(Kind):
    """Fires on the silence after a cart; the strength is the fact, so any mark below 1 is met."""

    name = "cart_abandoned"
    group = "sale"
    target = "intent"
    marks = Marks(high=0.5, low=0.5, cooldown_ms=days(1))
    action = "send_cart_reminder"
    channel = "email"
    facts = ("cart_pieces", "cart_value", "cart_age_hours")
    event = True

    def strength(self, score: Score) -> float | None:
        return 1.0 if score.trigger == "cart_abandoned" and value(score, "cart_pieces") > 0 else None

    def at_stake(self, score: Score) -> float:
        # A cart without prices is worth a usual order.
        return value(score, "cart_value") or order_value(score)

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        pieces = value(score, "cart_pieces")
        worth = value(score, "cart_value")
        return (
            f"This customer left {pieces:.0f} piece{'s' * (pieces != 1)}{f' worth {money(worth)}' if worth else ''} "
            f"in the cart and will with {score.intent:.0%} probability still buy soon: remind her of it."
        )
