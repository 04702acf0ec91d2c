"""The feature registry: each feature's name, unit, window and meaning. `stream.features` computes them.

A window of n days is today (UTC) and the n - 1 days before; of n weeks (13 weeks are `90d`), this week and the n - 1
before, where weeks are counted from 1970-01-01 and so begin on Thursdays; of one hour or one day, 12 buckets of 5
minutes or 24 of an hour, the current one included. Buckets are whole: one that holds now counts to its end.
A feature that does not apply (a gap with one order, a rating without reviews) is None in a snapshot, never 0.

Behaviours are all events of the customer, also pages, changes of orders and events of unknown names. A message that
came twice is one, and so is an order however often it is reported: its time is the earliest report's (but the last
behaviour of any kind may be a later report), its total, pieces and discount the fullest figures, the total replaced by
the newest update's. A cancelled order is none, in windows and in counts; its cancellation is a behaviour, and the
shares of hour and weekday, which say when she acts, keep it. What a refund or a part's cancellation takes back counts
on the day of its order, at most its total; pieces and discounts stay. Money and discounts are those of orders in the
installation's currency, orders and pieces those of all.
The latest behaviours are the newest 32 by time (of equal times by the message's key), pages, list views, identify and
unknown events left out; of several products a behaviour has the first as its product, the most frequent category and
brand (of equally frequent ones the first by name). The session is the last of them, back to the first silence of the
session gap (30 minutes), even when it is long over.
The last 24 orders are the newest heard of; what is no order any more is left out of them but not replaced.
"""

from dataclasses import dataclass

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WINDOWS = {"1h": HOUR_MS, "1d": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS, "90d": 91 * DAY_MS}


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; `words` names it in a sentence that a marketer reads."""

    name: str
    unit: str
    window: str
    meaning: str
    words: str


def _counts(name: str, words: str, windows: str) -> list[Feature]:
    return [
        Feature(f"{name}_{w}", "count", w, f"{words} in the last {w}", f"{words} in the last {w}")
        for w in windows.split()
    ]


def _days(name: str, words: str) -> Feature:
    return Feature(f"days_since_{name}", "days", "lifetime", f"days since {words}", f"days since {words}")


def _one(name: str, unit: str, window: str, meaning: str, words: str = "") -> Feature:
    return Feature(name, unit, window, meaning, words or meaning)


FEATURES: tuple[Feature, ...] = (
    *_counts("events", "behaviours of any kind", "1h 1d 7d 30d 90d"),
    *_counts("views", "products viewed", "1h 1d 7d 30d"),
    *_counts("searches", "searches", "1d 7d 30d"),
    *_counts("cart_adds", "products put into the cart", "1h 1d 7d 30d"),
    *_counts("cart_removes", "products taken out of the cart", "7d"),
    *_counts("checkouts", "checkouts started", "1d 7d"),
    *_counts("wishes", "products wished for", "30d"),
    *_counts("orders", "orders", "7d 30d 90d"),
    *_counts("items", "pieces bought", "30d 90d"),
    _one("spend_7d", "money", "7d", "spent in the last 7 days"),
    _one("spend_30d", "money", "30d", "spent in the last 30 days"),
    _one("spend_90d", "money", "90d", "spent in the last 13 weeks"),
    _one("active_days_7d", "days", "7d", "days with any behaviour among the last 7"),
    _one("active_days_30d", "days", "30d", "days with any behaviour among the last 30"),
    _days("event", "the last behaviour of any kind"),
    _days("view", "a product was last viewed"),
    _days("search", "the last search"),
    _days("cart_add", "a product was last put into the cart"),
    _days("checkout", "a checkout was last started"),
    _days("order", "the last order"),
    _one("tenure_days", "days", "lifetime", "days since the first behaviour"),
    _one("orders_total", "count", "lifetime", "orders ever that were not cancelled"),
    _one("spend_total", "money", "lifetime", "spent ever, refunds taken back"),
    _one(
        "order_value_mean",
        "money",
        "lifetime",
        "average order value: spent ever over orders ever",
        "average order value",
    ),
    _one(
        "order_value_last",
        "money",
        "lifetime",
        "value of the last order in the shop's currency, before refunds",
        "value of the last order",
    ),
    _one(
        "refund_share",
        "share",
        "lifetime",
        "share of the money paid that was taken back, cancelled orders included",
        "share of the money spent that was taken back",
    ),
    _one(
        "discount_share",
        "share",
        "90d",
        "discounts over the price before them: discounts and spent",
        "share of the price that discounts took off",
    ),
    _one("pieces_per_order_90d", "count", "90d", "pieces per order in the last 13 weeks"),
    _one("gap_mean_days", "days", "last 24 orders", "mean days between orders"),
    _one(
        "gap_std_days",
        "days",
        "last 24 orders",
        "(population) standard deviation of the days between orders",
        "standard deviation of the days between orders",
    ),
    _one(
        "overdue",
        "ratio",
        "last 24 orders",
        "days since the last order over the mean days between orders",
        "times the usual gap since the last order",
    ),
    _one("session_minutes", "minutes", "session", "minutes from the session's first behaviour to its last"),
    _one("session_depth", "count", "session", "behaviours in the latest session"),
    _one("session_views", "count", "session", "products viewed in the latest session"),
    _one("session_searches", "count", "session", "searches in the latest session"),
    _one("session_cart_adds", "count", "session", "products put into the cart in the latest session"),
    _one(
        "cart_pieces",
        "count",
        "now",
        "pieces put in less those taken out (never below 0) since an order emptied the cart; the newest 32 changes",
        "pieces in the cart",
    ),
    _one("cart_value", "money", "now", "pieces in the cart, each at its item's last known price", "value of the cart"),
    _one(
        "cart_age_hours",
        "hours",
        "now",
        "hours since the cart was last changed; None when it is empty",
        "hours since the cart was last changed",
    ),
    _one(
        "distinct_items",
        "count",
        "last 32 behaviours",
        "different (first) products among the latest behaviours",
        "different products among the latest behaviours",
    ),
    _one("top_category_share", "share", "last 32 behaviours", "share of the favourite category among the latest"),
    _one("categories", "count", "last 32 behaviours", "different categories among the latest behaviours"),
    _one("top_brand_share", "share", "last 32 behaviours", "share of the favourite brand among the latest"),
    _one("hour", "hour", "now", "hour of the day, UTC"),
    _one("weekday", "day", "now", "day of the week, Monday is 0, UTC"),
    _one("hour_share", "share", "lifetime", "share of behaviours that fell into this quarter of the day"),
    _one("weekday_share", "share", "lifetime", "share of behaviours that fell on this day of the week"),
    _one(
        "mobile_share",
        "share",
        "lifetime",
        "share of behaviours on a phone, orders and their changes apart",
        "share of behaviours on a phone",
    ),
    _one(
        "campaign_share",
        "share",
        "lifetime",
        "share of behaviours that a campaign brought, orders and their changes apart",
        "share of behaviours that a campaign brought",
    ),
    _one("reviews_total", "count", "lifetime", "reviews written"),
    _one("rating_mean", "rating", "lifetime", "mean rating given"),
    _one("rating_last", "rating", "lifetime", "last rating given"),
    _one(
        "sentiment_mean",
        "share",
        "last 8 reviews",
        "how content the newest reviews that were read are, from 0 to 1: the mean",
        "how content her last reviews read",
    ),
    _one(
        "sentiment_last",
        "share",
        "lifetime",
        "how content the newest review that was read is, from 0 to 1",
        "how content her last review reads",
    ),
    _one("promos_seen_30d", "count", "30d", "promotions seen in the last 30 days"),
    _one("promos_clicked_30d", "count", "30d", "promotions clicked in the last 30 days"),
    _one("coupons_30d", "count", "30d", "coupons applied in the last 30 days"),
    _one(
        "trend_events_7d",
        "log ratio",
        "7d",
        "log of (1 + behaviours of the last 7 days) over (1 + those of the 7 before)",
        "behaviours of the last 7 days against the 7 before",
    ),
    _one(
        "trend_orders_4w",
        "log ratio",
        "4w",
        "log of (1 + orders of the last 4 weeks) over (1 + those of the 4 before)",
        "orders of the last 4 weeks against the 4 before",
    ),
    _one(
        "trend_spend_4w",
        "log ratio",
        "4w",
        "log of (1 + minor units spent in the last 4 weeks) over (1 + those of the 4 before)",
        "money of the last 4 weeks against the 4 before",
    ),
)

BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}
NAMES: tuple[str, ...] = tuple(BY_NAME)
