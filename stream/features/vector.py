"""The feature vector of a profile as of a moment: every feature of `schemas.features`, by name."""

from math import log

from schemas.behaviours import Behaviour as B
from schemas.features import DAY_MS, HOUR_MS
from schemas.money import to_major
from schemas.outputs import Features
from stream.features import derive
from stream.features.profile import Profile
from stream.features.windows import DISCOUNT, INDEX, PIECES, SPEND, Sums

_COUNTED = [
    (f"{name}_{window}", INDEX[window], int(group))
    for name, group, windows in (
        ("views", B.VIEW, "1h 1d 7d 30d"),
        ("searches", B.SEARCH, "1d 7d 30d"),
        ("cart_adds", B.CART_ADD, "1h 1d 7d 30d"),
        ("cart_removes", B.CART_REMOVE, "7d"),
        ("checkouts", B.CHECKOUT, "1d 7d"),
        ("wishes", B.WISHLIST, "30d"),
        ("orders", B.ORDER, "7d 30d 90d"),
        ("items", PIECES, "30d 90d"),
        ("promos_seen", B.PROMO_VIEW, "30d"),
        ("promos_clicked", B.PROMO_CLICK, "30d"),
        ("coupons", B.COUPON, "30d"),
    )
    for window in windows.split()
]

_UNSET = {""}


def features_at(profile: Profile, now: int, currency: str, session_gap_ms: int) -> Features:
    """Every registered feature of `profile` as of `now` (ms); money in major units of `currency`."""
    sums = Sums(profile.counters, now)
    return {
        **_windowed(sums, currency),
        **_recency(profile, now),
        **_money(profile, sums, currency),
        **_rhythm(profile, now),
        **_session(profile, session_gap_ms),
        **_cart(profile, now, currency),
        **_tastes(profile),
        **_habits(profile, now),
        **_reviews(profile),
        **_trends(sums),
    }


def _windowed(sums: Sums, currency: str) -> Features:
    windows = sums.windows
    found: Features = {name: windows[window][group] for name, window, group in _COUNTED}
    for window in ("1h", "1d", "7d", "30d", "90d"):
        found[f"events_{window}"] = sums.behaviours(window)
    for window in ("7d", "30d", "90d"):
        found[f"spend_{window}"] = to_major(sums.over(window, SPEND), currency)
    found["active_days_7d"] = sum(age < 7 for age in sums.active_days)
    found["active_days_30d"] = len(sums.active_days)
    return found


def _since(at: int, now: int) -> float | None:
    return max(0, now - at) / DAY_MS if at else None


def _recency(profile: Profile, now: int) -> Features:
    return {
        "days_since_event": _since(profile.last, now),
        "days_since_view": _since(profile.viewed, now),
        "days_since_search": _since(profile.searched, now),
        "days_since_cart_add": _since(profile.added, now),
        "days_since_checkout": _since(profile.checked_out, now),
        "days_since_order": _since(profile.last_order, now),
        "tenure_days": _since(profile.first, now),
    }


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _money(profile: Profile, sums: Sums, currency: str) -> Features:
    newest = max(
        ((e.at, e.total) for e in profile.orders.values() if e.placed and not e.cancelled and e.currency == currency),
        default=None,
    )
    orders, net = profile.orders_total, profile.money.get(currency, 0)
    discount, spend = sums.over("90d", DISCOUNT), sums.over("90d", SPEND)
    return {
        "orders_total": orders,
        "spend_total": to_major(net, currency),
        "order_value_mean": to_major(net, currency) / orders if orders else None,
        "order_value_last": to_major(newest[1], currency) if newest else None,
        "refund_share": _share(profile.returned, profile.paid),
        "discount_share": _share(discount, spend + discount),
        "pieces_per_order_90d": _share(sums.over("90d", PIECES), sums.over("90d", B.ORDER)),
    }


def _rhythm(profile: Profile, now: int) -> Features:
    times = derive.order_times(profile)
    gaps = derive.gaps(times)
    mean, deviation = gaps or (None, None)
    return {
        "gap_mean_days": None if mean is None else mean / DAY_MS,
        "gap_std_days": None if deviation is None else deviation / DAY_MS,
        "overdue": max(0, now - times[-1]) / mean if mean else None,
    }


def _session(profile: Profile, gap_ms: int) -> Features:
    moments = derive.session(profile.story, gap_ms)
    kinds = [moment.behaviour for moment in moments]
    return {
        "session_minutes": (moments[-1].at - moments[0].at) / 60_000 if moments else None,
        "session_depth": len(moments),
        "session_views": kinds.count(B.VIEW),
        "session_searches": kinds.count(B.SEARCH),
        "session_cart_adds": kinds.count(B.CART_ADD),
    }


def _cart(profile: Profile, now: int, currency: str) -> Features:
    cart = derive.cart(profile)
    return {
        "cart_pieces": sum(cart.items.values()),
        "cart_value": to_major(cart.value, currency),
        "cart_age_hours": max(0, now - cart.changed) / HOUR_MS if cart.items else None,
    }


def _tastes(profile: Profile) -> Features:
    story = profile.story
    return {
        "distinct_items": len({moment.item for moment in story} - _UNSET),
        "categories": len({moment.category for moment in story} - _UNSET),
        "top_category_share": derive.favourite([moment.category for moment in story]),
        "top_brand_share": derive.favourite([moment.brand for moment in story]),
    }


def _habits(profile: Profile, now: int) -> Features:
    hour, weekday = now // HOUR_MS % 24, (now // DAY_MS + 3) % 7
    return {
        "hour": hour,
        "weekday": weekday,
        "hour_share": _share(profile.habits[hour // 6], profile.events),
        "weekday_share": _share(profile.habits[4 + weekday], profile.events),
        "mobile_share": _share(profile.mobile, profile.browsed),
        "campaign_share": _share(profile.campaign, profile.browsed),
    }


def _reviews(profile: Profile) -> Features:
    return {
        "reviews_total": profile.reviews,
        "rating_mean": _share(profile.ratings, profile.reviews),
        "rating_last": profile.rating[2] if profile.reviews else None,
        "sentiment_mean": _share(sum(one.content for one in profile.sentiments), len(profile.sentiments)),
        "sentiment_last": profile.sentiments[-1].content if profile.sentiments else None,
    }


def _log_ratio(new: int, old: int) -> float:
    # One is added to both so that a start from nothing and an end in nothing stay finite.
    return log((max(0, new) + 1) / (max(0, old) + 1))


def _trends(sums: Sums) -> Features:
    return {
        "trend_events_7d": _log_ratio(sums.behaviours("7d"), sums.behaviours("7d before")),
        "trend_orders_4w": _log_ratio(sums.over("4w", B.ORDER), sums.over("4w before", B.ORDER)),
        "trend_spend_4w": _log_ratio(sums.over("4w", SPEND), sums.over("4w before", SPEND)),
    }
