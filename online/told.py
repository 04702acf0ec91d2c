"""A behaviour of the story as the words that a marketer reads, in English and in Chinese."""

from typing import Final

from online.words import number
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS, HOUR_MS
from schemas.outputs import Moment

LONGEST: Final = 60

_DID: Final = {
    Behaviour.SEARCH: ("searched", "搜索了"),
    Behaviour.CLICK: ("clicked on", "点击了"),
    Behaviour.VIEW: ("viewed", "浏览了"),
    Behaviour.CART_ADD: ("put into the cart", "加购了"),
    Behaviour.CART_REMOVE: ("took out of the cart", "从购物车移除了"),
    Behaviour.CART_VIEW: ("looked at the cart", "查看了购物车"),
    Behaviour.CHECKOUT: ("started a checkout", "开始结算"),
    Behaviour.PROMO_VIEW: ("saw the promotion", "看到了促销"),
    Behaviour.PROMO_CLICK: ("clicked on the promotion", "点击了促销"),
    Behaviour.COUPON: ("used the coupon", "使用了优惠券"),
    Behaviour.WISHLIST: ("wished for", "收藏了"),
    Behaviour.REVIEW: ("reviewed", "评价了"),
    Behaviour.ORDER: ("bought", "购买了"),
    Behaviour.ORDER_UPDATE: ("changed an order", "修改了订单"),
    Behaviour.CANCEL: ("cancelled an order", "取消了订单"),
    Behaviour.REFUND: ("returned an order", "退了货"),
}
_WHOLE: Final = frozenset(
    {Behaviour.CART_VIEW, Behaviour.CHECKOUT, Behaviour.ORDER_UPDATE, Behaviour.CANCEL, Behaviour.REFUND}
)
# What the customer wrote or clicked herself says more than the shelf it belongs to.
_OWN_WORDS: Final = frozenset({Behaviour.SEARCH, Behaviour.PROMO_VIEW, Behaviour.PROMO_CLICK, Behaviour.COUPON})


def told(moment: Moment, now: int) -> str:
    """What she did, with what, and how long ago.

    >>> told(Moment(0, Behaviour.VIEW, item="p1", category="Running Shoes"), 2 * HOUR_MS)
    'viewed running shoes 2 hours ago'
    """
    did = _DID.get(moment.behaviour, ("did something", ""))[0]
    return " ".join(word for word in (did, _what(moment), _ago(now - moment.at)) if word)


def told_zh(moment: Moment, now: int) -> str:
    """The same in Chinese.

    >>> told_zh(Moment(0, Behaviour.ORDER, category="牛奶"), 3 * DAY_MS)
    '3天前购买了牛奶'
    """
    did = _DID.get(moment.behaviour, ("", "有过一次行为"))[1]
    return f"{_ago_zh(now - moment.at)}{did}{_what(moment)}"


def _what(moment: Moment) -> str:
    if moment.behaviour in _WHOLE:
        return ""
    named = (moment.words, moment.category) if moment.behaviour in _OWN_WORDS else (moment.category, moment.words)
    said = " ".join(next((name for name in named if name), moment.item).split())
    return (said if len(said) <= LONGEST else said[: LONGEST - 1] + "…").lower()


def _ago(milliseconds: int) -> str:
    if milliseconds < HOUR_MS:
        return "within the last hour"
    count, unit = (milliseconds // HOUR_MS, "hour") if milliseconds < DAY_MS else (milliseconds // DAY_MS, "day")
    return f"{number(count)} {unit}{'s' * (count != 1)} ago"


def _ago_zh(milliseconds: int) -> str:
    if milliseconds < HOUR_MS:
        return "一小时内"
    count, unit = (milliseconds // HOUR_MS, "小时") if milliseconds < DAY_MS else (milliseconds // DAY_MS, "天")
    return f"{number(count)}{unit}前"
