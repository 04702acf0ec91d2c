"""The collector as a process of its own before the real broker: what SDKs send ends in the right partition."""

import base64
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from schemas.decode import decode
from stream.kafka.partitioner import home
from stream.kafka.restore import read_partition
from stream.settings import Settings

pytestmark = pytest.mark.integration

KEY = "dev-write-key"
VIEW = {"type": "track", "event": "Product Viewed", "properties": {"product_id": "p1", "price": 5}}
ORDER = {"type": "track", "event": "Order Completed", "properties": {"order_id": "o1", "total": 5, "products": []}}


@contextmanager
def collector(settings: Settings, **more: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A running collector: its address and process; stopped with SIGTERM, upon which it must end well."""
    environment = {
        **os.environ,
        "FOOTFALL_KAFKA_BROKERS": settings.kafka_brokers,
        "FOOTFALL_TOPIC_PREFIX": settings.topic_prefix,
        "FOOTFALL_COLLECTOR_PORT": str(settings.collector_port),
        **more,
    }
    process = subprocess.Popen([sys.executable, "-m", "deploy.cli", "collector"], env=environment)
    address = f"http://127.0.0.1:{settings.collector_port}"
    try:
        wait_for(lambda: get(address + "/healthz")[0] == 200)
        yield address, process
        if process.poll() is None:
            process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return 0, b""


def post(url: str, body: object) -> tuple[int, dict[str, Any]]:
    basic = base64.b64encode(f"{KEY}:".encode()).decode()
    request = urllib.request.Request(url, orjson.dumps(body), {"Authorization": f"Basic {basic}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, orjson.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, orjson.loads(error.read())


def stored(settings: Settings, topic: str) -> list[tuple[int, str, bytes]]:
    """Partition, key and value of every record of a topic."""
    records: list[tuple[int, str, bytes]] = []
    for partition in range(settings.partitions):

        def accept(key: bytes, value: bytes | None, partition: int = partition) -> None:
            records.append((partition, key.decode(), value or b""))

        read_partition(settings.kafka_brokers, settings.topic(topic), partition, accept)
    return records


def test_a_batch_answered_with_200_is_in_kafka_where_its_customer_belongs(new_shop: Callable[..., Settings]) -> None:
    shop = new_shop(partitions=4)
    batch = [VIEW | {"userId": f"u{n}"} for n in range(40)] + [ORDER | {"anonymousId": f"a{n}"} for n in range(40)]
    with collector(shop) as (address, _):
        wait_for(lambda: get(address + "/readyz")[0] == 200)
        assert post(address + "/v1/batch", {"batch": batch}) == (200, {"success": True})
        views, orders = stored(shop, "clickstream"), stored(shop, "orders")
    assert {key for _, key, _ in views} == {f"u{n}" for n in range(40)}
    assert {key for _, key, _ in orders} == {f"a{n}" for n in range(40)}
    for partition, key, value in views + orders:
        assert partition == home(key, 4)
        assert decode(value, "USD").customer == key


def test_a_batch_with_one_broken_message_leaves_nothing(shop: Settings) -> None:
    broken = VIEW | {"userId": "u1", "properties": {"product_id": "p1", "price": -3}}
    with collector(shop) as (address, _):
        status, answer = post(address + "/v1/batch", {"batch": [VIEW | {"userId": "u0"}, broken]})
        assert (status, answer["error"]["path"]) == (400, "batch[1].properties.price")
        assert post(address + "/v1/track", VIEW | {"userId": "u2"})[0] == 200
        assert [key for _, key, _ in stored(shop, "clickstream")] == ["u2"]


@pytest.mark.parametrize("gzip", [False, True])
def test_segments_own_python_sdk(shop: Settings, gzip: bool) -> None:
    from segment.analytics.client import Client

    failures: list[object] = []
    with collector(shop) as (address, _):
        sdk = Client(KEY, host=address, gzip=gzip, on_error=lambda error, _: failures.append(error))
        sdk.identify("u1", {"plan": "free"}, anonymous_id="a1")
        sdk.page("u1", name="Home")
        sdk.track("u1", "Product Viewed", {"product_id": "p1", "price": 9.99})
        sdk.track("u1", "Order Completed", {"order_id": "o1", "total": 9.99, "products": [{"product_id": "p1"}]})
        sdk.shutdown()
        assert failures == []
        assert len(stored(shop, "clickstream")) == 3
        ((_, key, value),) = stored(shop, "orders")
    assert key == "u1"
    assert decode(value, "EUR").amount == 999


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_without_kafka_it_says_so_within_its_deadline_and_refuses_more_than_it_can_hold(shop: Settings) -> None:
    away = {
        "FOOTFALL_KAFKA_BROKERS": f"127.0.0.1:{closed_port()}",
        "FOOTFALL_COLLECTOR_DEADLINE_S": "2",
        "FOOTFALL_COLLECTOR_QUEUE": "5",
    }
    with collector(shop, **away) as (address, _):
        assert get(address + "/readyz")[0] == 503
        began = time.monotonic()
        status, answer = post(address + "/v1/track", VIEW | {"userId": "u1"})
        assert (status, answer["error"]["reason"]) == (503, "kafka_unreachable")
        assert 1 < time.monotonic() - began < 8
        status, answer = post(address + "/v1/batch", {"batch": [VIEW | {"userId": "u1"}] * 6})
        assert (status, answer["error"]["reason"]) == (429, "kafka_behind")


def test_a_request_in_flight_is_answered_before_it_stops(shop: Settings) -> None:
    body = orjson.dumps({"batch": [VIEW | {"userId": "u1"}] * 50, "writeKey": KEY})
    head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode()
    with (
        collector(shop) as (address, process),
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as connection,
    ):
        wait_for(lambda: get(address + "/readyz")[0] == 200)
        connection.settimeout(30)
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")  # the request has begun
        connection.sendall(body[:-10])
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: get(address + "/healthz")[0] == 0)  # it takes no new connections any more
        connection.sendall(body[-10:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert process.wait(30) == 0
        assert len(stored(shop, "clickstream")) == 50


def test_a_taken_port_is_one_clear_line(shop: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environment = os.environ | {
            "FOOTFALL_KAFKA_BROKERS": shop.kafka_brokers,
            "FOOTFALL_COLLECTOR_PORT": str(taken.getsockname()[1]),
        }
        command = [sys.executable, "-m", "deploy.cli", "collector"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "FOOTFALL_COLLECTOR_PORT" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
