"""The topic `catalogue`, record by record."""

import json

import pytest

from online.index import ItemIndex
from online.recommend.shelf import Good
from stream.recommender.catalogue import Catalogue

AT = 1_700_000_000_000


class Told:
    """A record of the catalogue that arrived at a time."""

    def __init__(self, key: bytes | None, value: object, at: int = AT) -> None:
        self._told = key, value if value is None or isinstance(value, bytes) else json.dumps(value).encode(), at

    def key(self) -> bytes | None:
        return self._told[0]

    def value(self) -> bytes | None:
        return self._told[1]

    def timestamp(self) -> tuple[int, int]:
        return 1, self._told[2]


@pytest.fixture
def index() -> ItemIndex:
    return ItemIndex()


@pytest.fixture
def catalogue(index: ItemIndex) -> Catalogue:
    return Catalogue(lambda: index, "EUR")


def test_what_the_shop_says_is_kept(catalogue: Catalogue, index: ItemIndex) -> None:
    catalogue.accept(
        Told(b"7", {"product_id": 7, "category": "Tea", "brand": "Low Mill", "price": "9.50", "in_stock": False})
    )
    assert index.shelf.find("7") == Good("Tea", "Low Mill", 950, True, AT)
    catalogue.accept(Told(b"7", {"product_id": "7", "inventory_quantity": 4}, AT + 1))
    assert index.shelf.find("7") == Good("Tea", "Low Mill", 950, False, AT + 1)
    catalogue.accept(Told(b"7", {"product_id": "7", "brand": "x" * 900, "availability": "preorder"}, AT + 2))
    assert (len(index.shelf.find("7").brand), index.shelf.lacks("7")) == (64, False)
    catalogue.accept(Told(b"7", None, AT + 3))
    assert index.shelf.lacks("7")
    assert catalogue.refused == 0


def test_a_price_in_another_currency_compares_with_none(catalogue: Catalogue, index: ItemIndex) -> None:
    catalogue.accept(Told(None, {"product_id": "a", "price": 5, "currency": "USD", "category": "Tea"}))
    catalogue.accept(Told(None, {"product_id": "b", "price": 5, "currency": "eur"}))
    assert (index.shelf.find("a").price, index.shelf.find("b").price) == (0, 500)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"k", b"\xff"),
        (b"k", b"{"),
        (b"k", {"in_stock": True}),
        (b"k", {"product_id": ""}),
        (b"k", {"product_id": "a", "price": "dear"}),
        (b"k", {"product_id": "a", "price": -1}),
        (b"\xff", None),
    ],
)
def test_what_cannot_be_read_is_counted_and_left_out(
    catalogue: Catalogue, index: ItemIndex, key: bytes, value: object
) -> None:
    catalogue.accept(Told(key, value))
    assert (catalogue.refused, len(index.shelf)) == (1, 0)
