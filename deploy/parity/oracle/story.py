"""From the newest 32 behaviours of the story: the latest session, and tastes."""

from typing import Final

import polars as pl

from deploy.parity.oracle.history import TIE, History
from schemas.behaviours import Behaviour as B

STORY: Final = 32
_UNTOLD: Final = (B.PAGE, B.OTHER, B.IDENTIFY, B.LIST_VIEW)
_ORDER: Final = ("ask", "at", "key")


def story(past: History) -> pl.DataFrame:
    """The newest 32 behaviours of each ask by (time, key), oldest first. An order is one, at its earliest report."""
    told = past.events.filter(~pl.col("kind").is_in(_UNTOLD)).with_columns(
        key=pl.when(pl.col("kind") == B.ORDER).then("order").otherwise("key") & TIE
    )
    orders = pl.col("kind") == B.ORDER
    return (
        pl.concat([told.filter(~orders), told.filter(orders).sort("at").unique(["ask", "key"], keep="first")])
        .sort(_ORDER)
        .group_by("ask", maintain_order=True)
        .tail(STORY)
    )


def session(newest: pl.DataFrame, gap_ms: int) -> pl.DataFrame:
    """The latest session: back from the newest behaviour, until a silence of at least `gap_ms`."""
    kind = pl.col("kind")
    return (
        newest.with_columns(
            session=(pl.col("at") - pl.col("at").shift(1).over("ask", order_by=["at", "key"]) >= gap_ms).fill_null(
                False
            )
        )
        .with_columns(session=pl.col("session").cum_sum().over("ask", order_by=["at", "key"]))
        .filter(pl.col("session") == pl.col("session").max().over("ask"))
        .group_by("ask")
        .agg(
            ((pl.col("at").max() - pl.col("at").min()) / 60_000).alias("session_minutes"),
            pl.len().alias("session_depth"),
            (kind == B.VIEW).sum().alias("session_views"),
            (kind == B.SEARCH).sum().alias("session_searches"),
            (kind == B.CART_ADD).sum().alias("session_cart_adds"),
        )
    )


def tastes(newest: pl.DataFrame) -> pl.DataFrame:
    """Different products and categories, and the favourite's share of those behaviours that name one."""
    named = {name: pl.col(name).filter(pl.col(name).str.len_chars() > 0) for name in ("item", "category", "brand")}
    return newest.group_by("ask").agg(
        named["item"].n_unique().alias("distinct_items"),
        named["category"].n_unique().alias("categories"),
        _favourite(named["category"]).alias("top_category_share"),
        _favourite(named["brand"]).alias("top_brand_share"),
    )


def _favourite(names: pl.Expr) -> pl.Expr:
    return names.unique_counts().max() / names.len()
