"""The recommender as a part of the stack: what is sent to Kafka comes back over HTTP as what others chose."""

import base64
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from deploy.local.parts import prometheus_config
from deploy.local.supervisor import Stack
from schemas.topics import CATALOGUE, CLICKSTREAM
from stream.settings import Settings
from tests.integration.kafka_tools import send, until
from tests.integration.stacks import local_settings, running

pytestmark = pytest.mark.integration
KEY = "Basic " + base64.b64encode(b"dev-write-key:").decode()


def get(settings: Settings, path: str) -> str:
    address = f"http://127.0.0.1:{settings.recommender_port}{path}"
    request = urllib.request.Request(address, headers={"Authorization": KEY})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: str = answer.read().decode()
        return found


def viewed(customer: str, item: str, number: int, **said: object) -> tuple[bytes, bytes]:
    event = {
        "type": "track", "event": "Product Viewed", "messageId": f"{customer}-{number}", "userId": customer,
        "timestamp": time.time() - 600 + number, "properties": {"product_id": item, "price": 9.0, **said},
    }  # fmt: skip
    return customer.encode(), json.dumps(event).encode()


def test_what_was_sent_is_recommended(broker: Settings, tmp_path: Path) -> None:
    settings = local_settings(tmp_path, kafka_brokers=broker.kafka_brokers, topic_prefix="asked-", partitions=2)
    with running(Stack(settings, ["profile", "recommender"])):
        sessions = [viewed(f"c{n}", item, number) for n in range(20) for number, item in enumerate(("tent", "stove"))]
        send(settings, CLICKSTREAM, [*sessions, viewed("ann", "tent", 0)])

        def asked() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(get(settings, "/v1/recommendations/ann?k=1"))
            return found

        found = until(asked, lambda said: said["known"] and bool(said["items"]), "ann is known")
        assert (found["items"][0]["item"], found["items"][0]["source"]) == ("stove", "together")
        assert 'footfall_recommender_items_total{source="together"}' in get(settings, "/metrics")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{settings.recommender_port}/v1/recommendations/ann", timeout=10)


def test_what_is_sold_out_is_not_recommended_until_it_is_back_and_lists_are_learned_from(
    broker: Settings, tmp_path: Path
) -> None:
    settings = local_settings(tmp_path, kafka_brokers=broker.kafka_brokers, topic_prefix="stock-", partitions=2)
    with running(Stack(settings, ["profile", "recommender"])):
        items = ("tent", "stove", "lamp")
        send(
            settings,
            CLICKSTREAM,
            [viewed(f"c{n}", item, number) for n in range(20) for number, item in enumerate(items)],
        )
        send(settings, CLICKSTREAM, [viewed("ann", "tent", 0)])

        def shown() -> set[str]:
            return {one["item"] for one in json.loads(get(settings, "/v1/recommendations/ann"))["items"]}

        until(shown, lambda found: {"stove", "lamp"} <= found, "both are recommended")
        # A product's page says so, and the shop's own catalogue.
        send(settings, CLICKSTREAM, [viewed("bob", "stove", 5, availability="https://schema.org/SoldOut")])
        send(settings, CATALOGUE, [(b"lamp", b'{"product_id": "lamp", "inventory_quantity": 0}')])
        until(shown, lambda found: not {"stove", "lamp"} & found, "neither is recommended")
        assert sample(settings, 'footfall_index_items{what="sold_out"}') == 2
        send(settings, CLICKSTREAM, [viewed("bob", "stove", 6, in_stock=True)])
        send(settings, CATALOGUE, [(b"lamp", b'{"product_id": "lamp", "in_stock": true}')])
        until(shown, lambda found: {"stove", "lamp"} <= found, "both are back")
        # The lists that she was shown have gone to Kafka and come back; what she takes from one is its success.
        taken = viewed("ann", "stove", 601)
        send(settings, CLICKSTREAM, [taken])
        until(
            lambda: sample(settings, 'footfall_index_lists{outcome="chosen"}'), lambda n: n >= 1, "a list is a success"
        )
        assert sample(settings, "footfall_recommender_untold_total") == 0


def sample(settings: Settings, name: str) -> float:
    (value,) = [line.rpartition(" ")[2] for line in get(settings, "/metrics").splitlines() if line.startswith(name)]
    return float(value)


def test_prometheus_asks_it(tmp_path: Path) -> None:
    settings = local_settings(tmp_path)
    assert f'targets: ["127.0.0.1:{settings.recommender_port}"]' in prometheus_config(settings)
