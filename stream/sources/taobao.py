"""Alibaba's UserBehavior layout: views, carts, favourites and purchases of real shoppers, as a CSV file.

Columns `user_id,item_id,category_id,behavior,ts` (epoch seconds), and `price` where it is known. A purchase is an order
of one piece; without a price its total is 0, so that money features say nothing rather than something invented.
"""

import csv
import datetime
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import orjson

from schemas.errors import OperatorError
from schemas.events import EVENTS
from stream.sources.event import SourceEvent

NAME: Final = "taobao"
CUSTOMER_PREFIX: Final = "tb-"
COLUMNS: Final = ("user_id", "item_id", "category_id", "behavior", "ts")
NAMES: Final = {
    "pv": "Product Viewed",
    "cart": "Product Added",
    "fav": "Product Added to Wishlist",
    "buy": "Order Completed",
}


def events(path: Path, limit: int | None = None, start: int = 0) -> Iterator[SourceEvent]:
    """The rows in the file's order, from number `start` up to number `limit`, exclusive."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise OperatorError(f"{path} has no column {', '.join(missing)}; expected {','.join(COLUMNS)}")
        for number, row in islice(enumerate(rows), start, limit):
            try:
                yield _event(row)
            except (KeyError, ValueError, TypeError) as error:
                raise OperatorError(f"{path}, row {number + 2}: {error!r}; mend the row or cut it out") from error


def count(path: Path) -> int:
    """How many rows there are below the header."""
    with path.open("rb") as file:
        return max(0, sum(1 for line in file if line.strip()) - 1)


def _event(row: dict[str, str]) -> SourceEvent:
    name = NAMES[row["behavior"]]
    seconds = int(row["ts"])
    customer = CUSTOMER_PREFIX + row["user_id"]
    message = f"{customer}-{row['item_id']}-{row['behavior']}-{seconds}"
    product: dict[str, object] = {"product_id": row["item_id"], "category": row["category_id"], "quantity": 1}
    price = row.get("price")
    if price:
        product["price"] = price
    if row["behavior"] == "buy":
        properties: dict[str, object] = {"order_id": message, "total": price or 0, "products": [product]}
    else:
        properties = product
    event = {
        "type": "track",
        "event": name,
        "messageId": message,
        "timestamp": datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "userId": customer,
        "properties": properties,
    }
    return SourceEvent(EVENTS[name].topic, customer.encode(), orjson.dumps(event), seconds * 1000)
