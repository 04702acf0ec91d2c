"""What the shop itself says of its items, on the topic `catalogue`: read into the item index."""

import logging
from collections.abc import Callable
from typing import Protocol

import msgspec

from online.index import ItemIndex
from schemas.catalogue import CatalogueItem
from schemas.errors import Rejected
from schemas.money import to_minor
from schemas.stock import in_stock

log = logging.getLogger("footfall.catalogue")
_items = msgspec.json.Decoder(CatalogueItem)
NAME = 64


class Told(Protocol):
    """What is read of a Kafka message."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def timestamp(self) -> tuple[int, int]: ...


class Catalogue:
    """Takes in records for the `index` of now; prices in another `currency` are left out, they compare with none.

    What cannot be read is counted (`refused`), logged, and stays on its topic.
    """

    def __init__(self, index: Callable[[], ItemIndex], currency: str) -> None:
        self.refused = 0
        self._index = index
        self._currency = currency

    def accept(self, record: Told) -> None:
        """One record; it says what is so since it arrived. One without a value: this item is sold no more."""
        value, at = record.value(), record.timestamp()[1]
        try:
            if value is None:
                self._index().stock((record.key() or b"").decode(), "", "", None, False, at)
                return
            told = _items.decode(value)
            same = not told.currency or told.currency.upper() == self._currency
            price = None if told.price is None or not same else to_minor(told.price, self._currency)
        except (msgspec.DecodeError, UnicodeDecodeError, Rejected) as error:
            self.refused += 1
            log.warning("a record of the catalogue is left out: %s", error)
            return
        self._index().stock(
            str(told.product_id),
            (told.category or "")[:NAME],
            (told.brand or "")[:NAME],
            price,
            in_stock(told.in_stock, told.availability, told.inventory_quantity),
            at,
        )
