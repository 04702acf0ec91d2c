"""What had arrived of a customer when she is asked about: the events, the orders they make, and what she did when."""

from typing import Final, NamedTuple

import polars as pl

from schemas.behaviours import Behaviour as B

# Who is asked about: `ask` numbers the question, `now` is the moment (epoch ms) as of which the features are wanted,
# `clicks` and `orders` the last offsets of the two input topics that count (-1: none does).
ASKS: Final[dict[str, type[pl.DataType]]] = {
    "ask": pl.Int64,
    "customer": pl.String,
    "now": pl.Int64,
    "clicks": pl.Int64,
    "orders": pl.Int64,
}
ORDER_KINDS: Final = (B.ORDER, B.ORDER_UPDATE, B.CANCEL, B.REFUND)
TIE: Final = 0xFFFFFFFF  # the part of a key that orders behaviours of one millisecond
_CONTEXT: Final = ("ask", "now")


class History(NamedTuple):
    """`events`: each message once. `orders`: each order once. `occurrences`: (ask, now, at, kind), what she did when.

    `read`: what is known of how content reviews read (`rating`), which is no event of hers.
    In `occurrences` a cancelled order is absent; `done` has it as well, and each order once, at its earliest report.
    """

    asks: pl.DataFrame
    events: pl.DataFrame
    orders: pl.DataFrame
    occurrences: pl.DataFrame
    done: pl.DataFrame
    read: pl.DataFrame


def history(events: pl.DataFrame, asks: pl.DataFrame) -> History:
    """The histories of all `asks`; a message that came twice counts once."""
    limit = pl.when(pl.col("topic") == 0).then("clicks").otherwise("orders")
    scored = pl.col("kind") == B.REVIEW_SCORED
    heard = asks.join(events, on="customer").filter(pl.col("offset") <= limit)
    known = (
        heard.filter(~scored)
        .sort("ask", "n")
        .unique(["ask", "key"], keep="first", maintain_order=True)
        .drop("clicks", "orders")
    )
    orders = _orders(known)
    others = known.filter(pl.col("kind") != B.ORDER).select(*_CONTEXT, "at", "kind")
    placed = orders.filter("placed").with_columns(kind=pl.lit(int(B.ORDER), pl.Int8))
    return History(
        asks,
        known,
        orders,
        pl.concat([others, placed.filter(~pl.col("cancelled")).select(others.columns)]),
        pl.concat([others, placed.select(others.columns)]),
        heard.filter(scored),
    )


def _orders(known: pl.DataFrame) -> pl.DataFrame:
    """Each order as far as it is known: reports (earliest time, fullest figures), newest update, what came back."""
    kind, amount = pl.col("kind"), pl.col("amount")
    report, whole = kind == B.ORDER, amount.is_null()
    update = (kind == B.ORDER_UPDATE) & ~whole
    back = kind.is_in([B.REFUND, B.CANCEL])
    return (
        known.filter(kind.is_in(ORDER_KINDS))
        .group_by(*_CONTEXT, "order")
        .agg(
            report.any().alias("placed"),
            pl.when(report.any()).then(pl.col("at").filter(report).min()).otherwise(pl.col("at").min()).alias("at"),
            amount.filter(report).max().fill_null(0).alias("reported"),
            amount.filter(update).sort_by(pl.col("at").filter(update), maintain_order=True).last().alias("corrected"),
            pl.col("pieces").filter(report).max().fill_null(0),
            pl.col("discount").filter(report).max().fill_null(0),
            pl.col("currency").filter(report).last(),
            ((kind == B.CANCEL) & whole).any().alias("cancelled"),
            ((kind == B.REFUND) & whole).any().alias("refunded"),
            amount.filter(back).sum().alias("part"),
        )
        .with_columns(total=pl.coalesce("corrected", "reported"))
        .with_columns(
            standing=pl.col("placed") & ~pl.col("cancelled"),
            returned=pl.when(pl.col("cancelled") | pl.col("refunded"))
            .then("total")
            .otherwise(pl.min_horizontal("part", "total")),
        )
        .with_columns(net=pl.col("total") - pl.col("returned"))
    )
