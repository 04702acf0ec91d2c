"""Every feature is said in Chinese as well as in English."""

import re

import pytest

from online.words import say
from online.words_zh import PATTERNS, say_zh
from schemas.features import FEATURES, NAMES

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("value", [None, 0.0, 1.0, 2.41, 123.0])
def test_every_feature_has_both(value: float | None) -> None:
    for name in NAMES:
        english, chinese = say(name, value), say_zh(name, value)
        assert CHINESE.search(chinese), chinese
        assert not CHINESE.search(english), english
        assert name not in chinese
        assert "{" not in english + chinese


def test_no_two_features_are_said_alike() -> None:
    assert len({say_zh(feature.name, 2.0) for feature in FEATURES}) == len(FEATURES)


def test_both_say_the_same_amount() -> None:
    digits = re.compile(r"\d+[.,\d]*\d|\d")
    for name in NAMES:
        given, english = PATTERNS[name].format(""), say(name, 37.0)
        amounts = set(digits.findall(say_zh(name, 37.0))) - set(digits.findall(given))
        assert amounts <= set(digits.findall(english)), (name, english)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("orders_90d", 4.0, "最近13周下单4次"),
        ("spend_30d", 1234.5, "最近30天消费1,234.50"),
        ("days_since_order", 34.2, "距上次下单34天"),
        ("days_since_order", None, "还没有下过单"),
        ("refund_share", 0.352, "退款占消费的35%"),
        ("weekday", 6.0, "今天（UTC）星期日"),
        ("trend_events_7d", -0.69314, "最近7天的行为是前7天的0.5倍"),
        ("mobile_share", None, "手机上的行为占（未知）"),
        ("not_registered", 3.0, "not_registered：3"),
    ],
)
def test_say(name: str, value: float | None, words: str) -> None:
    assert say_zh(name, value) == words
