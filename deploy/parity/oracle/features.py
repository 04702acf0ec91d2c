"""All groups together: one row an ask, one column a registered feature."""

from typing import Final

import polars as pl

from deploy.parity.oracle import cart, habits, money, story, windows
from deploy.parity.oracle.history import history
from schemas.features import NAMES

# Where there is nothing to count these are 0; every other feature that does not apply is null.
_ZERO: Final = (
    *(name for name in NAMES if name.startswith(("events_", "views_", "searches_", "cart_adds_", "orders_", "items_"))),
    *(name for name in NAMES if name.startswith(("spend_", "active_days_", "trend_", "checkouts_", "promos_"))),
    *("cart_removes_7d", "wishes_30d", "coupons_30d", "reviews_total", "cart_pieces", "cart_value"),
    *("session_depth", "session_views", "session_searches", "session_cart_adds", "distinct_items", "categories"),
)


def oracle(events: pl.DataFrame, asks: pl.DataFrame, currency: str, session_gap_ms: int) -> pl.DataFrame:
    """Columns `ask`, `customer`, `now` and every feature as float (null: it does not apply), in the order of `asks`.

    `events` is tidy (`deploy.parity.raw.tidy`), `asks` as `ASKS` says. Money is in the main unit of `currency`.
    """
    past = history(events, asks)
    newest = story.story(past)
    found = asks.select("ask", "customer", "now")
    for group in (
        windows.counts(past),
        windows.sums(past, currency),
        money.money(past, currency),
        money.rhythm(past, currency),
        habits.recency(past),
        habits.rhythm(past),
        habits.channel(past),
        habits.reviews(past),
        habits.sentiments(past),
        story.session(newest, session_gap_ms),
        story.tastes(newest),
        cart.cart(past, currency),
    ):
        found = found.join(group, on="ask", how="left", maintain_order="left")
    return found.select(
        "ask",
        "customer",
        "now",
        *(
            pl.col(name).cast(pl.Float64).fill_null(0) if name in _ZERO else pl.col(name).cast(pl.Float64)
            for name in NAMES
        ),
    )
