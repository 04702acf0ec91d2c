"""A review on the real broker, read by the shipped BERT on the real Triton: score, alert, profile and its features."""

import json
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from deploy.local.supervisor import Stack
from schemas.topics import ALERTS, CLICKSTREAM, DAY_MS, FEATURES, ORDERS, SCORES
from stream.settings import Settings
from tests.integration.kafka_tools import profiles, records, send, until
from tests.integration.stacks import running

pytestmark = pytest.mark.integration

ANN = "ann"
# As people wrote them in the shop that the model learned reviews from.
BAD = "质量太差了，用了一次就坏了，客服也不理人，非常失望，再也不会买了。"


def event(name: str, at: int, **properties: object) -> tuple[bytes, bytes]:
    told = {"type": "track", "event": name, "messageId": f"{name}-{at}", "userId": ANN, "timestamp": at}
    return ANN.encode(), orjson.dumps(told | {"properties": properties})


def order(at: int) -> tuple[bytes, bytes]:
    product = {"product_id": "p-1", "price": 300.0, "quantity": 1}
    return event("Order Completed", at, order_id=f"o-{at}", total=300.0, currency="USD", products=[product])


def of_ann(settings: Settings, topic: Any) -> list[dict[str, Any]]:
    return [json.loads(value) for key, value in records(settings, topic) if key == ANN.encode() and value]


def test_a_review_is_scored_alerts_and_is_known_to_her_profile(
    new_shop: Callable[..., Settings], triton: Settings
) -> None:
    shop = new_shop(partitions=2, triton_url=triton.triton_url, holdout_share=0.0)
    now = time.time_ns() // 1_000_000
    send(shop, ORDERS, [order(now - days * DAY_MS) for days in (30, 20, 10, 1)])
    review = event("Product Reviewed", now - 60_000, product_id="p-1", rating="1", review_body=BAD)
    with running(Stack(shop, ["profile", "score"])):
        until(lambda: len(of_ann(shop, SCORES)), lambda n: n >= 1, "a score of an order")
        send(shop, CLICKSTREAM, [review])
        (told,) = until(
            lambda: [one for one in of_ann(shop, CLICKSTREAM) if one["event"] == "Review Scored"],
            lambda found: len(found) == 1,
            "the review is read",
        )
        content = told["properties"]["sentiment"]
        known = until(lambda: profiles(shop)[ANN].sentiments, lambda found: len(found) == 1, "her profile knows it")
        assert known[0].at == now - 60_000
        (scored,) = [one for one in of_ann(shop, SCORES) if one["trigger"] == "review"]
        assert scored["sentiment"] == content
        alerts = until(lambda: of_ann(shop, ALERTS), bool, "an alert")
        assert [one["kind"] for one in alerts] == ["bad_review"]
        # What is known of it is a feature of whatever comes next.
        send(shop, ORDERS, [order(now - 1_000)])
        features = until(
            lambda: of_ann(shop, FEATURES)[-1]["features"],
            lambda found: found["sentiment_last"] is not None,
            "a feature",
        )
        assert features["sentiment_last"] == features["sentiment_mean"] == pytest.approx(content, abs=1e-3)
