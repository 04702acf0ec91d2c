"""Lifetime orders and money, and the rhythm of orders."""

from typing import Final

import polars as pl

from deploy.parity.oracle.history import History
from schemas.features import DAY_MS
from schemas.money import EXPONENTS

LEDGER: Final = 24  # orders that gaps, the last order and its value are taken from


def major(minor: pl.Expr, currency: str) -> pl.Expr:
    """Minor units as the currency's main unit."""
    unit: int = 10 ** EXPONENTS.get(currency, 2)
    return minor.cast(pl.Float64) / unit


def money(past: History, currency: str) -> pl.DataFrame:
    """Orders ever and what they were worth. A cancelled order is money spent and taken back, but no order."""
    ours = pl.col("currency") == currency
    paid = pl.col("total").filter(ours).sum()
    net = major(pl.col("net").filter(ours).sum(), currency)
    number = pl.col("standing").sum()
    return (
        past.orders.filter("placed")
        .group_by("ask")
        .agg(
            number.alias("orders_total"),
            net.alias("spend_total"),
            pl.when(number > 0).then(net / number).alias("order_value_mean"),
            pl.when(paid > 0).then(pl.col("returned").filter(ours).sum() / paid).alias("refund_share"),
        )
    )


def rhythm(past: History, currency: str) -> pl.DataFrame:
    """From the newest orders heard of: the last one, its value, and the gaps between those that stand."""
    ours = pl.col("currency") == currency
    gap = pl.col("at").diff().drop_nulls().cast(pl.Float64)
    since = (pl.col("now").first() - pl.col("at").max()).clip(0)
    return (
        past.orders.sort("ask", "at", "order")
        .group_by("ask", maintain_order=True)
        .tail(LEDGER)
        .filter("standing")
        .sort("ask", "at", "total")
        .group_by("ask")
        .agg(
            (since / DAY_MS).alias("days_since_order"),
            major(pl.col("total").filter(ours).last(), currency).alias("order_value_last"),
            (gap.mean() / DAY_MS).alias("gap_mean_days"),
            (gap.std(ddof=0) / DAY_MS).alias("gap_std_days"),
            pl.when(gap.mean() > 0).then(since / gap.mean()).alias("overdue"),
        )
    )
