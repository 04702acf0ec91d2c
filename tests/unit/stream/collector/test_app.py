"""The collector over real HTTP, with a sink that keeps what it is given."""

import asyncio
import base64
import gzip
import io
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from schemas.decode import decode
from stream.collector.app import Collector
from stream.collector.messages import Reader
from stream.collector.sink import Behind, Unreachable
from stream.sources.event import SourceEvent

NOW = 1_714_564_800_000  # 2024-05-01T12:00:00Z
KEY = base64.b64encode(b"key:").decode()
AUTH = {"Authorization": f"Basic {KEY}"}
VIEW: dict[str, Any] = {
    "type": "track",
    "event": "Product Viewed",
    "userId": "u1",
    "timestamp": "2024-05-01T11:00:00Z",
    "messageId": "m1",
    "properties": {"product_id": "p1", "price": 5},
}
ORDER: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "anonymousId": "a1",
    "properties": {"order_id": 7, "total": 5, "products": []},
}

Client = TestClient[Any, Any]


class Kept:
    """A sink: what arrived, and a failure to raise instead."""

    def __init__(self) -> None:
        self.records: list[SourceEvent] = []
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def deliver(self, records: list[SourceEvent]) -> None:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.records += records

    async def ready(self) -> str:
        return "" if self.failure is None else str(self.failure)


@pytest.fixture
async def sink() -> Kept:
    return Kept()


@pytest.fixture
async def client(sink: Kept) -> AsyncIterator[Client]:
    collector = Collector(sink, Reader("USD", 3_600_000, lambda: "new-id"), keys=frozenset({"key"}), now=lambda: NOW)
    server = TestServer(collector.app())
    await server.start_server(auto_decompress=False)
    async with TestClient(server) as opened:
        yield opened


def batch(*messages: object, **more: object) -> bytes:
    return orjson.dumps({"batch": messages, **more})


async def send(client: Client, data: bytes, path: str = "/v1/batch", **headers: str) -> ClientResponse:
    response: ClientResponse = await client.post(path, data=io.BytesIO(data), headers=AUTH | headers)
    return response


async def error(response: ClientResponse) -> tuple[int, str, str]:
    problem = (await response.json())["error"]
    assert set(problem) == {"path", "reason", "detail"}
    return response.status, problem["path"], problem["reason"]


async def test_a_batch_is_routed_by_event_and_keyed_by_customer(client: Client, sink: Kept) -> None:
    response = await send(client, batch(VIEW, ORDER))
    assert (response.status, await response.json()) == (200, {"success": True})
    assert [(record.topic, record.key) for record in sink.records] == [("clickstream", b"u1"), ("orders", b"a1")]
    assert decode(sink.records[0].value, "USD").at == NOW - 3_600_000


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/v1/track", "track"), ("/v1/t", "track"), ("/v1/identify", "identify"), ("/v1/page", "page"), ("/v1/p", "page")],
)
async def test_single_messages_take_their_type_from_the_path(client: Client, sink: Kept, path: str, kind: str) -> None:
    message = {"userId": "u1", "event": "Something", "writeKey": "key"}
    response = await client.post(path, data=orjson.dumps(message), headers={"Content-Type": "text/plain"})
    assert response.status == 200
    stored = orjson.loads(sink.records[0].value)
    assert stored["type"] == kind
    assert stored["messageId"] == "new-id"
    assert stored["timestamp"] == stored["receivedAt"] == "2024-05-01T12:00:00.000Z"
    assert "writeKey" not in stored


def without(message: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in message.items() if key != name}


def changed(**properties: object) -> dict[str, Any]:
    return VIEW | {"properties": VIEW["properties"] | properties}


BAD = [
    pytest.param(b"{broken", 400, "$", "not_json", id="not JSON"),
    pytest.param(b"", 400, "$", "not_json", id="empty"),
    pytest.param(b"[]", 400, "$", "wrong_type", id="not an object"),
    pytest.param(b"{}", 400, "batch", "missing_field", id="no batch"),
    pytest.param(b'{"batch": 3}', 400, "batch", "wrong_type", id="batch is no list"),
    pytest.param(batch(VIEW, 3), 400, "batch[1]", "wrong_type", id="a number for a message"),
    pytest.param(batch(VIEW).replace(b"u1", b"\xff"), 400, "$", "not_utf8", id="invalid UTF-8"),
    pytest.param(batch(without(VIEW, "type")), 400, "batch[0].type", "missing_field", id="no type"),
    pytest.param(batch(without(VIEW, "userId")), 400, "batch[0]", "no_customer", id="no customer"),
    pytest.param(batch(VIEW | {"userId": [1]}), 400, "batch[0].userId", "wrong_type", id="userId is a list"),
    pytest.param(
        batch(VIEW, VIEW, VIEW | {"properties": {}}), 400, "batch[2].properties.product_id", "missing_field", id="field"
    ),
    pytest.param(batch(changed(price=[])), 400, "batch[0].properties.price", "wrong_type", id="wrong type"),
    pytest.param(batch(changed(price=-1)), 400, "batch[0].properties.price", "negative_money", id="negative price"),
    pytest.param(batch(VIEW | {"timestamp": 5}), 400, "batch[0].timestamp", "timestamp_too_old", id="1970"),
    pytest.param(
        batch(VIEW | {"timestamp": "2100-01-01T00:00:00Z"}), 400, "batch[0].timestamp", "timestamp_ahead", id="2100"
    ),
    pytest.param(batch(VIEW | {"timestamp": "noon"}), 400, "batch[0].timestamp", "bad_timestamp", id="no time"),
    pytest.param(batch(VIEW | {"timestamp": []}), 400, "batch[0].timestamp", "wrong_type", id="time is a list"),
    pytest.param(batch(VIEW, sentAt="noon"), 400, "sentAt", "bad_timestamp", id="sentAt"),
    pytest.param(batch(changed(x="y" * 33_000)), 400, "batch[0]", "too_large", id="33 kB message"),
    pytest.param(batch(changed(x="y" * 2_000_000)), 413, "$", "too_large", id="2 MB"),
]


@pytest.mark.parametrize(("data", "status", "path", "reason"), BAD)
async def test_broken_input_is_named_and_nothing_is_produced(
    client: Client, sink: Kept, data: bytes, status: int, path: str, reason: str
) -> None:
    assert await error(await send(client, data)) == (status, path, reason)
    assert sink.records == []


async def test_an_unknown_event_is_taken(client: Client, sink: Kept) -> None:
    response = await send(client, batch({"type": "track", "event": "Lamp Rubbed", "userId": 3, "properties": {"x": 1}}))
    assert response.status == 200
    assert (sink.records[0].topic, sink.records[0].key) == ("clickstream", b"3")


@pytest.mark.parametrize("header", ["Basic " + base64.b64encode(b"other:").decode(), "Basic ???", "Bearer key", ""])
async def test_bad_auth(client: Client, sink: Kept, header: str) -> None:
    response = await client.post("/v1/batch", data=batch(VIEW), headers={"Authorization": header})
    assert await error(response) == (401, "$", "unauthorized")
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert sink.records == []


async def test_a_stranger_learns_nothing_of_what_is_broken(client: Client) -> None:
    assert await error(await client.post("/v1/batch", data=b"{broken")) == (401, "$", "unauthorized")


async def test_the_write_key_in_the_body_will_do(client: Client, sink: Kept) -> None:
    assert (await client.post("/v1/batch", data=batch(VIEW, writeKey="key"))).status == 200
    assert (await client.post("/v1/batch", data=batch(VIEW, writeKey="wrong"))).status == 401
    assert len(sink.records) == 1


@pytest.mark.parametrize(
    ("encoding", "data"), [("gzip", gzip.compress(batch(VIEW))), ("deflate", zlib.compress(batch(VIEW)))]
)
async def test_compressed_bodies(client: Client, sink: Kept, encoding: str, data: bytes) -> None:
    assert (await send(client, data, **{"Content-Encoding": encoding})).status == 200
    assert len(sink.records) == 1


@pytest.mark.parametrize(
    ("encoding", "data", "expected"),
    [
        ("gzip", b"not gzip", (400, "$", "bad_encoding")),
        ("gzip", gzip.compress(batch(VIEW))[:-9], (400, "$", "bad_encoding")),
        ("gzip", gzip.compress(b" " * 20_000_000), (413, "$", "too_large")),
        ("br", b"x", (415, "$", "bad_encoding")),
    ],
    ids=["broken gzip", "cut-off gzip", "zip bomb", "brotli"],
)
async def test_badly_compressed_bodies(
    client: Client, sink: Kept, encoding: str, data: bytes, expected: tuple[int, str, str]
) -> None:
    assert await error(await send(client, data, **{"Content-Encoding": encoding})) == expected
    assert sink.records == []


async def test_kafka_behind_and_kafka_away(client: Client, sink: Kept) -> None:
    sink.failure = Behind("full")
    response = await send(client, batch(VIEW))
    assert await error(response) == (429, "$", "kafka_behind")
    assert int(response.headers["Retry-After"]) >= 1
    sink.failure = Unreachable("away")
    response = await send(client, batch(VIEW))
    assert await error(response) == (503, "$", "kafka_unreachable")
    assert (await client.get("/readyz")).status == 503
    assert (await client.get("/healthz")).status == 200


async def test_an_answer_waits_for_the_acknowledgement(client: Client, sink: Kept) -> None:
    sink.gate.clear()
    task = asyncio.ensure_future(send(client, batch(VIEW)))
    done, _ = await asyncio.wait([task], timeout=0.1)
    assert not done
    sink.gate.set()
    assert (await task).status == 200


async def test_pages_of_any_origin_may_send(client: Client) -> None:
    preflight = await client.options("/v1/batch", headers={"Origin": "https://shop.example"})
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    refused = await client.post("/v1/batch", data=b"{", headers={"Origin": "https://shop.example"})
    assert refused.headers["Access-Control-Allow-Origin"] == "*"


async def test_metrics_count_what_happened(client: Client) -> None:
    await send(client, batch(VIEW, ORDER))
    await send(client, b"{")
    await client.get("/wp-admin")
    text = await (await client.get("/metrics")).text()
    assert 'footfall_collector_requests_total{route="/v1/batch",status="200"} 1.0' in text
    assert 'footfall_collector_requests_total{route="other",status="404"} 1.0' in text
    assert 'footfall_collector_events_total{topic="orders"} 1.0' in text
    assert 'footfall_collector_rejected_total{reason="not_json"} 1.0' in text
    assert 'footfall_collector_request_seconds_count{route="/v1/batch"} 2.0' in text
