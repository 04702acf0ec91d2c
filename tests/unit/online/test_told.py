"""Behaviours in words, in both languages, whatever a shop or a customer wrote."""

import pytest

from online.told import LONGEST, told, told_zh
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS, HOUR_MS
from schemas.outputs import Moment

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("ago", "moment", "words", "words_zh"),
    [
        (2 * HOUR_MS, Moment(0, Behaviour.VIEW, "p1", "Kites"), "viewed kites 2 hours ago", "2小时前浏览了kites"),
        (DAY_MS, Moment(0, Behaviour.ORDER, "", "牛奶", 12.0, 3), "bought 牛奶 1 day ago", "1天前购买了牛奶"),
        (
            5,
            Moment(0, Behaviour.SEARCH, words="A  bag"),
            "searched a bag within the last hour",
            "一小时内搜索了a bag",
        ),
        (9 * DAY_MS, Moment(0, Behaviour.CART_VIEW), "looked at the cart 9 days ago", "9天前查看了购物车"),
        (DAY_MS, Moment(0, Behaviour.WISHLIST, "p-77"), "wished for p-77 1 day ago", "1天前收藏了p-77"),
        (DAY_MS, Moment(0, Behaviour.OTHER), "did something 1 day ago", "1天前有过一次行为"),
    ],
)
def test_words(ago: int, moment: Moment, words: str, words_zh: str) -> None:
    moment = Moment(NOW - ago, *[getattr(moment, name) for name in Moment.__struct_fields__[1:]])
    assert (told(moment, NOW), told_zh(moment, NOW)) == (words, words_zh)


def test_every_behaviour_is_said_and_long_words_are_cut() -> None:
    for behaviour in Behaviour:
        moment = Moment(NOW - 2 * DAY_MS, behaviour, words="x" * 1_000)
        assert told(moment, NOW).endswith(" 2 days ago")
        assert told_zh(moment, NOW).startswith("2天前")
        assert len(told(moment, NOW)) < LONGEST + 50
