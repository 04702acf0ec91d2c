"""A feature and its value in Chinese, as `online.words` says it in English."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from online.words import number
from schemas.features import BY_NAME, NAMES

_WEEKDAYS: Final = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
_PERIODS: Final = {"1h": "最近1小时", "1d": "最近1天", "7d": "最近7天", "30d": "最近30天", "90d": "最近13周"}
# Said with a period before it: "最近30天下单2次".
_IN_PERIOD: Final = {
    "events": "有{}次行为",
    "views": "浏览商品{}次",
    "searches": "搜索{}次",
    "cart_adds": "加入购物车{}次",
    "cart_removes": "移出购物车{}次",
    "checkouts": "开始结算{}次",
    "wishes": "收藏商品{}次",
    "orders": "下单{}次",
    "items": "购买{}件商品",
    "spend": "消费{}",
    "active_days": "有{}天活跃",
    "pieces_per_order": "平均每单{}件",
    "promos_seen": "看到促销{}次",
    "promos_clicked": "点击促销{}次",
    "coupons": "使用优惠券{}次",
}
_ALONE: Final = {
    "days_since_event": "距上次任何行为{}",
    "days_since_view": "距上次浏览商品{}",
    "days_since_search": "距上次搜索{}",
    "days_since_cart_add": "距上次加入购物车{}",
    "days_since_checkout": "距上次开始结算{}",
    "days_since_order": "距上次下单{}",
    "tenure_days": "首次到访至今{}",
    "orders_total": "累计下单{}次",
    "spend_total": "累计消费{}",
    "order_value_mean": "平均每单金额{}",
    "order_value_last": "上一单金额{}",
    "refund_share": "退款占消费的{}",
    "discount_share": "折扣占原价的{}",
    "gap_mean_days": "平均下单间隔{}天",
    "gap_std_days": "下单间隔的标准差{}天",
    "overdue": "距上次下单的时间是平时间隔的{}倍",
    "session_minutes": "最近一次访问时长{}分钟",
    "session_depth": "最近一次访问有{}次行为",
    "session_views": "最近一次访问浏览商品{}次",
    "session_searches": "最近一次访问搜索{}次",
    "session_cart_adds": "最近一次访问加入购物车{}次",
    "cart_pieces": "购物车里有{}件商品",
    "cart_value": "购物车金额{}",
    "cart_age_hours": "购物车已{}小时没有变动",
    "distinct_items": "近期行为涉及{}种商品",
    "top_category_share": "近期行为中最爱品类占{}",
    "categories": "近期行为涉及{}个品类",
    "top_brand_share": "近期行为中最爱品牌占{}",
    "hour": "当前时刻（UTC）{}",
    "weekday": "今天（UTC）{}",
    "hour_share": "在一天中这个时段的行为占{}",
    "weekday_share": "在星期中这一天的行为占{}",
    "mobile_share": "手机上的行为占{}",
    "campaign_share": "由营销活动带来的行为占{}",
    "reviews_total": "写过{}条评价",
    "rating_mean": "平均评分{}",
    "rating_last": "最近一次评分{}",
    "sentiment_mean": "最近几次评价的满意程度平均{}",
    "sentiment_last": "最近一次评价的满意程度{}",
    "trend_events_7d": "最近7天的行为是前7天的{}倍",
    "trend_orders_4w": "最近4周的订单是前4周的{}倍",
    "trend_spend_4w": "最近4周的消费是前4周的{}倍",
}
_ABSENT: Final = {
    "days_since_event": "还没有任何行为",
    "days_since_view": "还没有浏览过商品",
    "days_since_search": "还没有搜索过",
    "days_since_cart_add": "还没有加入过购物车",
    "days_since_checkout": "还没有开始过结算",
    "days_since_order": "还没有下过单",
    "order_value_mean": "还没有下过单",
    "order_value_last": "还没有下过单",
    "gap_mean_days": "订单还不足以看出间隔",
    "gap_std_days": "订单还不足以比较间隔",
    "overdue": "订单还不足以看出平时的间隔",
    "rating_mean": "还没有评过分",
    "rating_last": "还没有评过分",
    "sentiment_mean": "还没有读过她的评价",
    "sentiment_last": "还没有读过她的评价",
    "cart_age_hours": "购物车是空的",
}
_UNITS: Final[Mapping[str, Callable[[float], str]]] = {
    "money": lambda value: f"{value:,.2f}",
    "share": lambda value: f"{value:.0%}",
    "hour": lambda value: f"{int(value) % 24:02d}:00",
    "day": lambda value: _WEEKDAYS[int(value) % 7],
    "log ratio": lambda value: number(math.exp(min(value, 20.0))),
}


def _pattern(name: str) -> str:
    stem, _, period = name.rpartition("_")
    if stem in _IN_PERIOD and period in _PERIODS:
        return _PERIODS[period] + _IN_PERIOD[stem]
    return _ALONE.get(name, "")


PATTERNS: Final[Mapping[str, str]] = {name: _pattern(name) for name in NAMES}


def say_zh(name: str, value: float | None) -> str:
    """The feature `name` with its `value`, in Chinese; an unknown name is said as it is.

    >>> say_zh("overdue", 2.41), say_zh("orders_30d", 1.0), say_zh("days_since_order", 0.125)
    ('距上次下单的时间是平时间隔的2.4倍', '最近30天下单1次', '距上次下单3小时')
    """
    feature, pattern = BY_NAME.get(name), PATTERNS.get(name)
    if feature is None or not pattern:
        return f"{name}：{'未知' if value is None else number(value)}"
    if value is None or not math.isfinite(value):
        return _ABSENT.get(name, pattern.format("（未知）"))
    if name.startswith("days_since_"):
        return pattern.format(_ago(value))
    return pattern.format(_UNITS.get(feature.unit, number)(value))


def _ago(days: float) -> str:
    return f"{max(1, round(days * 24))}小时" if 0 < days < 1 else f"{number(days)}天"
