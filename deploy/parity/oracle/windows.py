"""What happened in a window: counts of behaviours, of goods and of money, days with any, trends."""

from typing import Final

import polars as pl

from deploy.parity.oracle.history import History
from deploy.parity.oracle.money import major
from schemas.behaviours import Behaviour as B
from schemas.features import DAY_MS, HOUR_MS

# A window: the length of its buckets in ms, and the youngest and the oldest bucket in it (0 is the one that holds now).
_BUCKETS: Final = {
    "1h": (300_000, 0, 11),
    "1d": (HOUR_MS, 0, 23),
    "7d": (DAY_MS, 0, 6),
    "30d": (DAY_MS, 0, 29),
    "90d": (7 * DAY_MS, 0, 12),
    "7d before": (DAY_MS, 7, 13),
    "4w": (7 * DAY_MS, 0, 3),
    "4w before": (7 * DAY_MS, 4, 7),
}
_KINDS: Final = {
    "views": (B.VIEW, "1h 1d 7d 30d"),
    "searches": (B.SEARCH, "1d 7d 30d"),
    "cart_adds": (B.CART_ADD, "1h 1d 7d 30d"),
    "cart_removes": (B.CART_REMOVE, "7d"),
    "checkouts": (B.CHECKOUT, "1d 7d"),
    "wishes": (B.WISHLIST, "30d"),
    "orders": (B.ORDER, "7d 30d 90d"),
    "promos_seen": (B.PROMO_VIEW, "30d"),
    "promos_clicked": (B.PROMO_CLICK, "30d"),
    "coupons": (B.COUPON, "30d"),
}


def counts(past: History) -> pl.DataFrame:
    """Counts per window, active days, and the trends of behaviours and orders."""
    kind = pl.col("kind")
    wanted = [
        (within(window) & (kind == group)).sum().alias(f"{name}_{window}")
        for name, (group, windows) in _KINDS.items()
        for window in windows.split()
    ]
    wanted += [within(window).sum().alias(f"events_{window}") for window in ("1h", "1d", "7d", "30d", "90d")]
    day = pl.col("at") // DAY_MS
    wanted += [day.filter(within(w)).n_unique().alias(f"active_days_{w}") for w in ("7d", "30d")]
    ordered = kind == B.ORDER
    wanted += [
        _trend(within("7d").sum(), within("7d before").sum()).alias("trend_events_7d"),
        _trend((within("4w") & ordered).sum(), (within("4w before") & ordered).sum()).alias("trend_orders_4w"),
    ]
    return past.occurrences.group_by("ask").agg(wanted)


def sums(past: History, currency: str) -> pl.DataFrame:
    """Pieces, money and discounts of the orders that stand, each at the time of its order."""
    spent = pl.when(pl.col("currency") == currency).then("net").otherwise(0)
    saved = pl.when(pl.col("currency") == currency).then("discount").otherwise(0)

    def over(window: str, what: pl.Expr) -> pl.Expr:
        return what.filter(within(window)).sum()

    bought, price = over("90d", pl.col("pieces")), over("90d", spent) + over("90d", saved)
    orders = within("90d").sum()
    return (
        past.orders.filter("standing")
        .group_by("ask")
        .agg(
            *(over(window, pl.col("pieces")).alias(f"items_{window}") for window in ("30d", "90d")),
            *(major(over(window, spent), currency).alias(f"spend_{window}") for window in ("7d", "30d", "90d")),
            pl.when(price != 0).then(over("90d", saved) / price).alias("discount_share"),
            pl.when(orders != 0).then(bought / orders).alias("pieces_per_order_90d"),
            _trend(over("4w", spent), over("4w before", spent)).alias("trend_spend_4w"),
        )
    )


def within(window: str) -> pl.Expr:
    """Whether `at` lies in the window that ends in the bucket of `now`."""
    length, youngest, oldest = _BUCKETS[window]
    return (pl.col("now") // length - pl.col("at") // length).is_between(youngest, oldest)


def _trend(new: pl.Expr, old: pl.Expr) -> pl.Expr:
    # A difference of unsigned counts would wrap around.
    return (new.cast(pl.Float64) + 1).log() - (old.cast(pl.Float64) + 1).log()
