"""A customer left with goods in the cart."""

from collections.abc import Callable
from typing import Final

from online.policies.base import Kind, Marks, days, order_value, value
from schemas.outputs import Score

# Who will surely come back needs no reminder, and who will surely not is not brought back by one.
UNSURE: Final = (0.1, 0.7)


class CartAbandoned(Kind):
    """Fires on the silence after a cart of somebody whose intent is between the two: where a reminder can help."""

    name = "cart_abandoned"
    group = "cart"
    target = "intent"
    marks = Marks(high=0.5, low=0.5, cooldown_ms=days(3))
    action = "send_cart_reminder"
    channel = "email"
    lasts_ms = days(2)
    # She was here an hour ago: this is her time.
    at_once = True
    facts = ("cart_pieces", "cart_value", "cart_age_hours")
    event = True

    def strength(self, score: Score) -> float | None:
        if score.trigger != "cart_abandoned" or not value(score, "cart_pieces"):
            return None
        low, high = UNSURE
        return 1.0 if low <= score.intent <= high else 0.0

    def at_stake(self, score: Score) -> float:
        # A cart without prices is worth a usual order.
        return value(score, "cart_value") or order_value(score)

    def expected(self, score: Score) -> float:
        # What is lost is a cart that she does not come back for.
        return (1.0 - score.intent) * self.at_stake(score)

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        pieces = value(score, "cart_pieces")
        worth = value(score, "cart_value")
        return (
            f"This customer left {pieces:.0f} piece{'s' * (pieces != 1)}{f' worth {money(worth)}' if worth else ''} "
            f"in the cart and will with {score.intent:.0%} probability still buy soon: remind her of it."
        )

    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        worth = value(score, "cart_value")
        return (
            f"这位顾客把{value(score, 'cart_pieces'):.0f}件商品{f'（共{money(worth)}）' if worth else ''}留在购物车里，"
            f"有{score.intent:.0%}的概率近期仍会购买：请提醒她。"
        )
