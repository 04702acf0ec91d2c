"""A file in Alibaba's UserBehavior layout as tidy events."""

from pathlib import Path
from typing import Final

import polars as pl

from deploy.parity.raw.tidy import messages, orders, tidy
from schemas.behaviours import Behaviour

NAME: Final = "taobao"
PREFIX: Final = "tb-"
_KINDS: Final = {
    "pv": Behaviour.VIEW,
    "cart": Behaviour.CART_ADD,
    "fav": Behaviour.WISHLIST,
    "buy": Behaviour.ORDER,
}


def read(path: Path, currency: str, limit: int | None = None) -> pl.DataFrame:
    """The first `limit` rows in the file's order; money is in `currency`, of which the file says nothing."""
    rows = pl.read_csv(path, n_rows=limit, infer_schema=False).with_row_index("n")
    if "price" not in rows.columns:
        rows = rows.with_columns(price=pl.lit(None, pl.String))
    bought = pl.col("behavior") == "buy"
    rows = rows.with_columns(
        customer=PREFIX + pl.col("user_id"),
        at=pl.col("ts").cast(pl.Int64) * 1000,
        kind=pl.col("behavior").replace_strict({name: int(kind) for name, kind in _KINDS.items()}),
        topic=bought.cast(pl.Int8),
        price=(pl.col("price").replace("", None).cast(pl.Float64) * 100).round(),
        item=pl.col("item_id"),
        category=pl.col("category_id"),
        currency=pl.lit(currency),
        pieces=pl.lit(1),
    ).with_columns(
        pl.when(bought).then(pl.col("price").fill_null(0)).alias("amount"),
        pl.concat_str("customer", "item_id", "behavior", "ts", separator="-").alias("name"),
    )
    bought = rows["behavior"] == "buy"
    order = pl.when(bought).then(orders(rows["name"]))
    return tidy(rows.with_columns(messages(rows["name"]).alias("key"), order.alias("order")))
