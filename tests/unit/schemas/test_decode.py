"""What becomes of bad input: each kind has one reason and names its field; what is only unknown is accepted."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.errors import Reason, Rejected
from schemas.event import Line
from schemas.money import to_minor
from schemas.times import parse_time


def message(properties: dict[str, Any] | None = None, **changes: Any) -> bytes:
    whole = {
        "type": "track",
        "event": "Product Viewed",
        "messageId": "m-1",
        "timestamp": "2024-05-01T12:00:00Z",
        "userId": "u-1",
        "properties": {"product_id": "p-1"} if properties is None else properties,
    }
    return json.dumps({k: v for k, v in (whole | changes).items() if v is not ...}).encode()


@pytest.mark.parametrize(
    ("raw", "reason", "path"),
    [
        (b"", Reason.EMPTY, "$"),
        (b"{", Reason.NOT_JSON, "$"),
        (b"not json at all", Reason.NOT_JSON, "$"),
        (b'{"type": "track\xff\xfe"}', Reason.NOT_UTF8, "$"),
        (b"[]", Reason.WRONG_TYPE, "$"),
        (b" " * 2_000_000, Reason.TOO_LARGE, "$"),
        (message(timestamp=...), Reason.MISSING_FIELD, "$.timestamp"),
        (message(type=...), Reason.MISSING_FIELD, "$.type"),
        (message(event=...), Reason.MISSING_FIELD, "$.event"),
        (message(userId=...), Reason.NO_CUSTOMER, "$"),
        (message(userId={"id": 1}), Reason.WRONG_TYPE, "$.userId"),
        (message(userId=""), Reason.BAD_VALUE, "$.userId"),
        (message(timestamp="yesterday"), Reason.BAD_TIMESTAMP, "$.timestamp"),
        (message(timestamp="1970-01-01T00:00:00Z"), Reason.TIMESTAMP_TOO_OLD, "$.timestamp"),
        (message(timestamp=0), Reason.TIMESTAMP_TOO_OLD, "$.timestamp"),
        (message(timestamp=1e300), Reason.BAD_TIMESTAMP, "$.timestamp"),
        (message({}), Reason.MISSING_FIELD, "$.properties.product_id"),
        (message({"product_id": None}), Reason.WRONG_TYPE, "$.properties.product_id"),
        (message({"product_id": "p", "price": -1}), Reason.NEGATIVE_MONEY, "$.properties.price"),
        (message({"product_id": "p", "price": "cheap"}), Reason.BAD_VALUE, "$.properties.price"),
        (message({"product_id": "p", "price": 1e30}), Reason.BAD_VALUE, "$.properties.price"),
        (message({"product_id": "p", "quantity": -1}), Reason.BAD_VALUE, "$.properties.quantity"),
        (message({"product_id": "p", "currency": "dollars"}), Reason.BAD_VALUE, "$.properties.currency"),
        (
            message({"order_id": "o", "products": []}, event="Order Completed"),
            Reason.MISSING_FIELD,
            "$.properties.total",
        ),
        (
            message({"order_id": "o", "total": 1, "products": [{"price": 1}]}, event="Order Completed"),
            Reason.MISSING_FIELD,
            "$.properties.products[0].product_id",
        ),
        (
            message({"products": [{"product_id": "p"}, {"product_id": "q", "price": -1}]}, event="Cart Viewed"),
            Reason.NEGATIVE_MONEY,
            "$.properties.products[1].price",
        ),
        (
            message({"products": [{"product_id": "p"}, {"product_id": "q", "quantity": "some"}]}, event="Cart Viewed"),
            Reason.BAD_VALUE,
            "$.properties.products[1].quantity",
        ),
        (
            message({"product_id": "p", "rating": "good", "review_body": ""}, event="Product Reviewed"),
            Reason.BAD_VALUE,
            "$.properties.rating",
        ),
        (message({}, event="Review Scored"), Reason.MISSING_FIELD, "$.properties.sentiment"),
        (message({"sentiment": "sad"}, event="Review Scored"), Reason.BAD_VALUE, "$.properties.sentiment"),
        (message({"sentiment": 1.01}, event="Review Scored"), Reason.BAD_VALUE, "$.properties.sentiment"),
        (message({"sentiment": "nan"}, event="Review Scored"), Reason.BAD_VALUE, "$.properties.sentiment"),
    ],
)
def test_bad_input_is_rejected_with_its_reason_and_field(raw: bytes, reason: Reason, path: str) -> None:
    with pytest.raises(Rejected) as caught:
        decode(raw, "USD")
    assert (caught.value.reason, caught.value.path) == (reason, path)


def test_unknown_events_and_properties_are_accepted() -> None:
    assert decode(message({"anything": [1, {}]}, event="Quiz Finished"), "USD").behaviour == Behaviour.OTHER
    assert decode(message({"product_id": "p", "shelf": {"row": 3}}), "USD").behaviour == Behaviour.VIEW
    assert decode(message(type="screen", event=...), "USD").behaviour == Behaviour.OTHER


def test_what_is_not_read_of_a_list_refuses_nothing() -> None:
    shown = [{"product_id": "p", "price": "on request"}, {"product_id": 7, "quantity": None, "name": ["a", "b"]}]
    assert decode(message({"products": shown}, event="Product List Viewed"), "USD").behaviour == Behaviour.LIST_VIEW
    with pytest.raises(Rejected) as caught:
        decode(message({"products": [*shown, {"name": "a"}]}, event="Product List Viewed"), "USD")
    assert caught.value.path == "$.properties.products[2].product_id"


def test_numbers_may_be_strings_and_ids_may_be_numbers() -> None:
    event = decode(message({"product_id": 17, "price": "12.50", "quantity": "2", "currency": "eur"}), "USD")
    assert event.lines == (Line("17", 2, 1250),)
    assert event.currency == "EUR"


@pytest.mark.parametrize("event", ["Product Viewed", "Product Added"])
@pytest.mark.parametrize(
    ("said", "there"),
    [
        ({}, None),
        ({"in_stock": False}, False),
        ({"in_stock": "true", "inventory_quantity": 0}, True),
        ({"in_stock": [1], "availability": "Sold out"}, False),
        ({"availability": "http://schema.org/PreOrder"}, True),
        ({"availability": {"per": "store"}, "inventory_quantity": "12"}, True),
        ({"inventory_quantity": 0}, False),
        ({"in_stock": None, "availability": "soon", "inventory_quantity": True}, None),
        ({"availability": "x" * 10_000, "inventory_quantity": "nan"}, None),
    ],
)
def test_whether_it_can_be_bought_is_heard_in_many_words_and_costs_no_event(
    event: str, said: dict[str, Any], there: bool | None
) -> None:
    (line,) = decode(message({"product_id": "p", "quantity": 1} | said, event=event), "USD").lines
    assert line.in_stock is there


def test_an_order_keeps_its_total_in_minor_units() -> None:
    products = [{"product_id": "a", "price": 0.285, "quantity": 3}]
    raw = message({"order_id": 9, "total": 19.99, "discount": 1, "products": products}, event="Order Completed")
    event = decode(raw, "USD")
    assert (event.behaviour, event.amount, event.discount, event.order > 0) == (Behaviour.ORDER, 1999, 100, True)


def test_the_user_is_the_customer_and_the_anonymous_id_goes_along() -> None:
    both = decode(message(anonymousId="a-1"), "USD")
    assert (both.customer, both.anonymous) == ("u-1", "a-1")
    alone = decode(message(userId=..., anonymousId="a-1"), "USD")
    assert (alone.customer, alone.anonymous) == ("a-1", "")


def test_a_message_without_id_is_known_by_its_bytes() -> None:
    raw = message(messageId=...)
    assert decode(raw, "USD").message == decode(raw, "USD").message
    assert decode(raw, "USD").message != decode(message({"product_id": "p-2"}, messageId=...), "USD").message


@pytest.mark.parametrize("value", ["2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00", 1714564800, 1714564800000])
def test_one_moment_however_it_is_written(value: str | int) -> None:
    assert parse_time(value) == 1714564800000


@given(st.integers(0, 10**9), st.sampled_from(["USD", "JPY", "KWD"]))
def test_money_survives_the_way_through_a_decimal_string(minor: int, currency: str) -> None:
    exponent = {"USD": 2, "JPY": 0, "KWD": 3}[currency]
    digits = f"{minor:0{exponent + 1}d}"
    text = f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits
    assert to_minor(text, currency) == minor
    assert to_minor(float(text), currency) == minor


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_rejected(raw: bytes) -> None:
    with pytest.raises(Rejected):
        decode(raw, "USD")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(-(10**20), 10**20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["product_id", "price", "quantity", "currency", "total", "order_id", "products", "discount"]),
    st.sampled_from(["Product Viewed", "Product Added", "Order Completed", "Order Refunded", "Checkout Started"]),
)
def test_no_value_in_any_field_raises_anything_but_rejected(value: Any, name: str, event: str) -> None:
    properties = {"product_id": "p", "quantity": 1, "order_id": "o", "total": 1, "value": 1, "products": []}
    raw = message(properties | {name: value}, event=event)
    with contextlib.suppress(Rejected):
        decode(raw, "USD")
