"""The exported schemas: no drift, valid themselves, and of one mind with the decoder."""

import copy
from typing import Any

import msgspec
import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas import export
from schemas.decode import decode
from schemas.errors import Rejected
from schemas.events import EVENTS
from schemas.topics import TOPICS

PRODUCT = {"product_id": "p1", "price": "19.99", "quantity": 2, "category": "Lamps", "brand": "Plain", "name": "Lamp"}
ONE = {**PRODUCT, "currency": "EUR"}
PROPERTIES: dict[str, dict[str, Any]] = {
    "Products Searched": {"query": "lamp"},
    "Product List Viewed": {"products": [PRODUCT, {"product_id": 7}], "category": "Lamps"},
    "Product Clicked": ONE,
    "Product Viewed": {"product_id": 7, "unheard": {"of": True}},
    "Product Added": ONE,
    "Product Removed": {"product_id": "p1", "quantity": "1"},
    "Cart Viewed": {"products": [PRODUCT]},
    "Checkout Started": {"products": [PRODUCT], "value": 39.98},
    "Promotion Viewed": {"promotion_id": "spring"},
    "Promotion Clicked": {"promotion_id": 12},
    "Coupon Applied": {"coupon_id": "TEN"},
    "Product Added to Wishlist": ONE,
    "Product Reviewed": {"product_id": "p1", "rating": "4", "review_body": "Bright."},
    "Review Scored": {"sentiment": "0.9"},
    "Order Completed": {"order_id": "o1", "revenue": 39.98, "products": [PRODUCT], "currency": "EUR"},
    "Order Updated": {"order_id": "o1", "total": 20},
    "Order Cancelled": {"order_id": 5},
    "Order Refunded": {"order_id": "o1", "total": "5.00"},
}


def example(name: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "type": "track" if name in EVENTS else name,
        "messageId": "m1",
        "timestamp": "2024-05-01T12:00:00Z",
        "userId": "u1",
        "anonymousId": "a1",
        "context": {"device": {"type": "mobile"}, "campaign": {"source": "mail"}, "locale": "en"},
    }
    if name in EVENTS:
        event |= {"event": name, "properties": copy.deepcopy(PROPERTIES[name])}
    return event


def says_the_decoder(event: object) -> bool:
    try:
        decode(orjson.dumps(event), "USD")
    except Rejected:
        return False
    return True


def test_the_files_are_what_the_types_say() -> None:
    assert export.drift() == [], "run: footfall schemas"


@pytest.mark.parametrize("path", sorted(export.files()))
def test_every_schema_is_a_valid_one(path: str) -> None:
    if path.startswith("json/"):
        Draft202012Validator.check_schema(orjson.loads(export.files()[path]))


@pytest.mark.parametrize("name", export.event_names())
def test_examples_pass_schema_and_decoder(name: str) -> None:
    Draft202012Validator(export.event_schema(name)).validate(example(name))
    assert says_the_decoder(example(name))


@pytest.mark.parametrize("name", export.event_names())
def test_schema_and_decoder_miss_the_same_fields(name: str) -> None:
    """Each field is left out, made null, and given a type that is never right, in turn."""
    validator = Draft202012Validator(export.event_schema(name))
    fields = [
        ("userId",),
        ("timestamp",),
        ("type",),
        ("context",),
        *(("properties", key) for key in PROPERTIES.get(name, ())),
    ]
    for path in fields:
        values: tuple[Any, ...] = (..., None, [[]])
        for value in values:
            event = example(name)
            event.pop("anonymousId")
            parent = event if len(path) == 1 else event["properties"]
            if value is ...:
                del parent[path[-1]]
            else:
                parent[path[-1]] = value
            assert validator.is_valid(event) == says_the_decoder(event), (path, value)


def filled(kind: Any) -> Any:
    """A value of a type, made by its own rules: the smallest that has every field."""
    info = msgspec.inspect.type_info(kind)
    return value_of(info)


def value_of(info: Any) -> Any:
    match info:
        case msgspec.inspect.StructType():
            return info.cls(**{f.name: value_of(f.type) for f in info.fields})
        case msgspec.inspect.ListType():
            return [value_of(info.item_type)]
        case msgspec.inspect.DictType():
            return {value_of(info.key_type): value_of(info.value_type)}
        case msgspec.inspect.UnionType():
            return value_of(info.types[0])
        case msgspec.inspect.EnumType():
            return next(iter(info.cls))
        case msgspec.inspect.Metadata():
            return value_of(info.type)
    return {
        "StrType": "x",
        "BytesType": b"x",
        "IntType": 3,
        "FloatType": 0.5,
        "BoolType": True,
        "AnyType": 1,
        "NoneType": None,
    }[type(info).__name__]


@pytest.mark.parametrize("topic", sorted(export.RECORDS))
def test_records_that_footfall_writes_pass(topic: str) -> None:
    record = filled(export.RECORDS[topic])
    validator = Draft202012Validator(export.record_schema(topic))
    validator.validate(orjson.loads(msgspec.json.encode(record)))
    assert not validator.is_valid({})


def test_the_document_names_every_topic_and_every_reference_leads_somewhere() -> None:
    document = export.asyncapi()
    assert set(document["channels"]) == {topic.name for topic in TOPICS}
    assert not set(export.RECORDS) & set(export.OPAQUE)
    files = export.files()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/"):
                target: Any = document
                for step in reference[2:].split("/"):
                    target = target[step]
            elif isinstance(reference, str):
                assert reference.removeprefix("./") in files
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)
