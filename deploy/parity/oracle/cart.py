"""The cart: what was put in and taken out since the last order."""

from typing import Final

import polars as pl

from deploy.parity.oracle.history import TIE, History
from deploy.parity.oracle.money import major
from schemas.behaviours import Behaviour as B
from schemas.features import HOUR_MS

CART: Final = 32  # changes since the last order that count, the newest


def cart(past: History, currency: str) -> pl.DataFrame:
    """Pieces, their value at the last price heard, and the age of the last change.

    An item's pieces never fall below zero. Taking out more than there is loses the rest of the removal, so with S the
    running sum of changes the pieces are S less its lowest point below zero: no fold is needed.
    """
    settled = past.events.filter(pl.col("kind") == B.ORDER).group_by("ask").agg(pl.col("at").max().alias("settled"))
    changes = (
        past.events.filter(pl.col("kind").is_in([B.CART_ADD, B.CART_REMOVE]))
        .join(settled, on="ask", how="left")
        .filter(pl.col("at") > pl.col("settled").fill_null(0))
        .sort("ask", "at", pl.col("key") & TIE)
        .group_by("ask", maintain_order=True)
        .tail(CART)
        .with_columns(change=pl.when(pl.col("kind") == B.CART_ADD).then("pieces").otherwise(-pl.col("pieces")))
    )
    running = pl.col("change").cum_sum()
    items = changes.group_by("ask", "item", maintain_order=True).agg(
        (running.last() - pl.min_horizontal(running.min(), pl.lit(0))).alias("held"),
        pl.col("price").filter(pl.col("price") > 0).last().fill_null(0),
    )
    changed = changes.group_by("ask").agg(pl.col("at").max().alias("changed"), pl.col("now").first())
    return (
        items.filter(pl.col("held") > 0)
        .group_by("ask")
        .agg(
            pl.col("held").sum().alias("cart_pieces"),
            major((pl.col("held") * pl.col("price")).sum(), currency).alias("cart_value"),
        )
        .join(changed, on="ask")
        .select(
            "ask",
            "cart_pieces",
            "cart_value",
            ((pl.col("now") - pl.col("changed")).clip(0) / HOUR_MS).alias("cart_age_hours"),
        )
    )
