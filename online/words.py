"""A feature and its value as the words that a marketer reads."""

import math
from typing import Final

from schemas.features import BY_NAME, Feature

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PERIODS: Final = {
    "in the last 1h": "in the last hour",
    "in the last 1d": "in the last day",
    "in the last 7d": "in the last 7 days",
    "in the last 30d": "in the last 30 days",
    "in the last 90d": "in the last 13 weeks",
}
_SINGULAR: Final = {
    "behaviours": "behaviour", "categories": "category", "checkouts": "checkout", "days": "day", "hours": "hour",
    "minutes": "minute", "orders": "order", "pieces": "piece", "products": "product", "promotions": "promotion",
    "reviews": "review", "searches": "search", "coupons": "coupon",
}  # fmt: skip
_ABSENT: Final = {
    "days_since_event": "nothing seen yet",
    "days_since_view": "no product viewed yet",
    "days_since_search": "no search yet",
    "days_since_cart_add": "nothing put into the cart yet",
    "days_since_checkout": "no checkout started yet",
    "days_since_order": "no order yet",
    "order_value_mean": "no order yet",
    "order_value_last": "no order yet",
    "gap_mean_days": "no gap between orders yet",
    "gap_std_days": "no gaps between orders to compare yet",
    "overdue": "no usual gap between orders yet",
    "rating_mean": "no rating yet",
    "rating_last": "no rating yet",
    "sentiment_mean": "no review read yet",
    "sentiment_last": "no review read yet",
    "cart_age_hours": "nothing in the cart",
}
_LEADING_UNITS: Final = frozenset({"count", "days", "hours", "minutes", "ratio"})


def say(name: str, value: float | None) -> str:
    """The feature `name` with its `value`, in words; an unknown name is said as it is.

    >>> say("overdue", 2.41), say("orders_30d", 1.0), say("cart_value", 80.0)
    ('2.4 times the usual gap since the last order', '1 order in the last 30 days', 'value of the cart: 80.00')
    """
    feature = BY_NAME.get(name)
    if feature is None:
        return f"{name}: {'not known' if value is None else number(value)}"
    words = _plain(feature.words)
    if value is None or not math.isfinite(value):
        return _ABSENT.get(name, f"{words}: not known")
    if feature.unit in _LEADING_UNITS and _leads(feature, words):
        return _counted(value, words, feature.unit)
    if feature.unit == "money" and words.startswith("spent"):
        return f"{value:,.2f} {words}"
    return f"{words}: {_amount(feature, value)}"


def number(value: float) -> str:
    """A number as people say it: whole where it is large or whole, else with one decimal."""
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.1f}"


def _plain(words: str) -> str:
    for short, long in _PERIODS.items():
        words = words.replace(short, long)
    return words


def _leads(feature: Feature, words: str) -> bool:
    # "12 days since the last order", but "mean days between orders: 12": the unit itself must begin the words.
    return feature.unit in ("count", "ratio") or words.startswith(feature.unit)


def _counted(value: float, words: str, unit: str) -> str:
    said = number(value)
    if unit == "days" and words.startswith("days since") and 0 < value < 1:
        hours = max(1, round(value * 24))
        said, words = str(hours), words.replace("days", "hours", 1)
    if unit == "count" and value == 0:
        return f"no {words}"
    if said == "1":
        # The first noun that counts: "different products among ..." has it second.
        for word in words.split():
            if word in _SINGULAR:
                words = words.replace(word, _SINGULAR[word], 1)
                break
    return f"{said} {words}"


def _amount(feature: Feature, value: float) -> str:
    if feature.unit == "money":
        return f"{value:,.2f}"
    if feature.unit == "share":
        return f"{value:.0%}"
    if feature.unit == "hour":
        return f"{int(value) % 24:02d}:00"
    if feature.unit == "day":
        return _WEEKDAYS[int(value) % 7]
    if feature.unit == "log ratio":
        return f"{number(math.exp(min(value, 20.0)))} times as much"
    return number(value)
