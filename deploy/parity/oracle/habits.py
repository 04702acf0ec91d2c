"""When and how she comes: recency, tenure, hour and weekday, device, campaigns; and her reviews."""

from typing import Final

import polars as pl

from deploy.parity.oracle.history import ORDER_KINDS, History
from schemas.behaviours import Behaviour as B
from schemas.features import DAY_MS

READ: Final = 8  # reviews, the newest
_SINCE: Final = {"view": B.VIEW, "search": B.SEARCH, "cart_add": B.CART_ADD, "checkout": B.CHECKOUT}


def recency(past: History) -> pl.DataFrame:
    """Days since the first and the last event, and since the last of some kinds."""
    at, now = pl.col("at"), pl.col("now").first()
    return past.events.group_by("ask").agg(
        ((now - at.max()).clip(0) / DAY_MS).alias("days_since_event"),
        ((now - at.min()).clip(0) / DAY_MS).alias("tenure_days"),
        *(
            ((now - at.filter(pl.col("kind") == kind).max()).clip(0) / DAY_MS).alias(f"days_since_{name}")
            for name, kind in _SINCE.items()
        ),
    )


def rhythm(past: History) -> pl.DataFrame:
    """Hour and weekday of now, and the share of all she ever did in this quarter of the day, on this weekday."""
    at, now = _moment("at"), _moment("now")
    return past.done.group_by("ask").agg(
        now.dt.hour().first().alias("hour"),
        (now.dt.weekday().first() - 1).alias("weekday"),
        (at.dt.hour() // 6 == now.dt.hour() // 6).mean().alias("hour_share"),
        (at.dt.weekday() == now.dt.weekday()).mean().alias("weekday_share"),
    )


def channel(past: History) -> pl.DataFrame:
    """Shares of what she did on the site: orders and their changes, which a server may report, say nothing of it."""
    return (
        past.events.filter(~pl.col("kind").is_in(ORDER_KINDS))
        .group_by("ask")
        .agg(pl.col("phone").mean().alias("mobile_share"), pl.col("campaign").mean().alias("campaign_share"))
    )


def reviews(past: History) -> pl.DataFrame:
    """How many, the mean rating and the last."""
    return (
        past.events.filter(pl.col("kind") == B.REVIEW)
        .sort("ask", "at", "key")
        .group_by("ask")
        .agg(
            pl.len().alias("reviews_total"),
            pl.col("rating").mean().alias("rating_mean"),
            pl.col("rating").last().alias("rating_last"),
        )
    )


def sentiments(past: History) -> pl.DataFrame:
    """How content the newest reviews read that were read: a review read several times reads as its happiest reading."""
    content = pl.col("content")
    return (
        past.read.group_by("ask", "at", "key")
        .agg(pl.col("rating").max().alias("content"))
        .sort("ask", "at", "key")
        .group_by("ask", maintain_order=True)
        .tail(READ)
        .group_by("ask")
        .agg(content.mean().alias("sentiment_mean"), content.last().alias("sentiment_last"))
    )


def _moment(column: str) -> pl.Expr:
    return pl.from_epoch(pl.col(column), time_unit="ms")
