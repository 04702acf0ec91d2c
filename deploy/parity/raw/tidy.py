"""The tidy form of a log: one row an event, in the order of arrival."""

from typing import Final

import polars as pl

from schemas.hashing import hash64, message_key

NAME_LENGTH: Final = 64  # of a category or a brand, as the wire contract cuts them

# `n` counts arrivals; `topic` is 0 for the clickstream and 1 for orders, `offset` the position therein. `key` and
# `order` are the hashed messageId and order_id. Money is in minor units; of several products `item` and `price` are the
# first one's, `category` and `brand` the most frequent (of equals, the first by name), `pieces` the sum of quantities.
SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "n": pl.Int64,
    "topic": pl.Int8,
    "offset": pl.Int64,
    "customer": pl.String,
    "at": pl.Int64,
    "key": pl.Int64,
    "kind": pl.Int8,
    "order": pl.Int64,
    "amount": pl.Int64,
    "discount": pl.Int64,
    "currency": pl.String,
    "item": pl.String,
    "category": pl.String,
    "brand": pl.String,
    "pieces": pl.Int64,
    "price": pl.Int64,
    "rating": pl.Float64,
    "phone": pl.Boolean,
    "campaign": pl.Boolean,
}


def tidy(events: pl.DataFrame) -> pl.DataFrame:
    """Every column of `SCHEMA`, those that the log knows nothing of null, false or 0; `offset` is `n`."""
    absent = {"discount": 0, "pieces": 0, "rating": 0.0, "phone": False, "campaign": False, "offset": pl.col("n")}
    missing = [
        (value if isinstance(value := absent.get(name), pl.Expr) else pl.lit(value)).alias(name)
        for name in SCHEMA
        if name not in events.columns
    ]
    return events.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def messages(names: pl.Series) -> pl.Series:
    """The key of each messageId."""
    return pl.Series([message_key(name) for name in names], dtype=pl.Int64)


def orders(names: pl.Series) -> pl.Series:
    """The hash of each order_id."""
    return pl.Series([hash64(name) for name in names], dtype=pl.Int64)


def most_frequent(lines: pl.LazyFrame, by: str, name: str) -> pl.LazyFrame:
    """Per `by`, the most frequent `name` that is set; of equally frequent ones the first in order."""
    return (
        lines.with_columns(pl.col(name).str.slice(0, NAME_LENGTH))
        .filter(pl.col(name).str.len_chars() > 0)
        .group_by(by, name)
        .agg(pl.len().alias("times"))
        .sort(by, "times", name, descending=[False, True, False])
        .group_by(by, maintain_order=True)
        .agg(pl.col(name).first())
    )
