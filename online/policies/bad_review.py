"""A customer was let down and said so."""

from collections.abc import Callable
from typing import Final

from online.policies.base import Kind, Marks, days, value
from schemas.outputs import Score

BAD: Final = 2.0


class BadReview(Kind):
    """A review of at most `BAD` stars of five."""

    name = "bad_review"
    group = "service"
    target = "churn"
    marks = Marks(high=0.5, low=0.5, cooldown_ms=days(1))
    action = "apologise_and_mend"
    channel = "service"
    facts = ("rating_last", "rating_mean")
    lasts_ms = days(3)
    at_once = True
    event = True

    def strength(self, score: Score) -> float | None:
        rating = score.features.get("rating_last")
        if score.trigger != "review" or rating is None:
            return None
        return 1.0 if rating <= BAD else 0.0

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        stake = self.at_stake(score)
        worth = f", who spends about {money(stake)} a quarter," if stake else ""
        return (
            f"This customer{worth} gave {value(score, 'rating_last'):g} stars in a review: "
            f"have service answer today and put it right."
        )

    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        stake = self.at_stake(score)
        worth = f"每季度消费约{money(stake)}，" if stake else ""
        return f"这位顾客{worth}在评价中给了{value(score, 'rating_last'):g}星：请客服今天就回复并妥善解决。"
