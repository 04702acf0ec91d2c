"""A good customer was let down and said so."""

from collections.abc import Callable
from typing import Final

from online.policies.base import Kind, Marks, days, value
from online.words import say
from online.words_zh import say_zh
from schemas.outputs import Contribution, Score

BAD: Final = 2.0
BITTER: Final = 0.1
RETURNS: Final = 0.5


class BadReview(Kind):
    """A review of at most `BAD` stars of five, or whose text is bitter whatever its stars, of a good customer.

    Stars of 0 are none: shops send them where nothing was clicked. A good customer has bought, and kept at least half
    of it. Words that contradict bad stars keep nobody quiet: an answer too many costs less than one too few.
    """

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
        if score.trigger != "review":
            return None
        return 1.0 if good(score) and (0 < _stars(score) <= BAD or _bitter(score)) else 0.0

    def reasons(self, score: Score, k: int) -> list[Contribution]:
        if score.sentiment is None:
            return super().reasons(score, k)
        name, read = "sentiment_last", score.sentiment
        words, words_zh = say(name, read), say_zh(name, read)
        found = Contribution(feature=name, value=read, weight=0.0, words=words, words_zh=words_zh)
        return [found, *super().reasons(score, k - 1)]

    def text(self, score: Score, money: Callable[[float], str]) -> str:
        stake = self.at_stake(score)
        worth = f", who spends about {money(stake)} a quarter," if stake else ""
        stars, bitter = _stars(score), _bitter(score)
        if not bitter:
            said = f"gave {stars:g} stars in a review"
        elif not stars:
            said = "wrote a bitter review"
        else:
            said = f"wrote a bitter review {'but' if stars > BAD else 'and'} gave {stars:g} stars"
        return f"This customer{worth} {said}: have service answer today and put it right."

    def text_zh(self, score: Score, money: Callable[[float], str]) -> str:
        stake = self.at_stake(score)
        worth = f"每季度消费约{money(stake)}，" if stake else ""
        stars, bitter = _stars(score), _bitter(score)
        if not bitter:
            said = f"在评价中给了{stars:g}星"
        elif not stars:
            said = "写了很不满的评价"
        else:
            said = f"写了很不满的评价，{'却' if stars > BAD else '并'}给了{stars:g}星"
        return f"这位顾客{worth}{said}：请客服今天就回复并妥善解决。"


def good(score: Score) -> bool:
    """Whether there is business to lose: she has bought, and taken back less than half of it."""
    return value(score, "orders_total") >= 1 and value(score, "refund_share") < RETURNS


def _stars(score: Score) -> float:
    return value(score, "rating_last")


def _bitter(score: Score) -> bool:
    return score.sentiment is not None and score.sentiment <= BITTER
