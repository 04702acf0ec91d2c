"""The whole: real broker, real Triton with the shipped BERT, every worker, and events from the simulated shop."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy.local.supervisor import Stack
from deploy.simulate.storefront import Storefront
from schemas.topics import CLICKSTREAM, DAY_MS, ORDERS, SCORES
from stream.settings import Settings
from tests.integration.kafka_tools import records, send, until
from tests.integration.stacks import controlled, local_settings

pytestmark = pytest.mark.integration

FOOTFALL = (sys.executable, "-m", "deploy.cli")


def demo(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run the demo in a folder of its own and return its summary."""
    environment = os.environ | local_settings(folder).environment()
    done = subprocess.run(
        [*FOOTFALL, "demo", "--json", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def test_the_demo_reaches_every_topic_and_broken_events_change_nothing_else(tmp_path: Path) -> None:
    shop = ("--customers", "60", "--fast-seconds", "30", "--seconds", "50", "--broken", "0.01")
    found = demo(tmp_path, *shop)
    for name in ("events", "features", "scores", "bert_scores", "examples", "alerts", "recommendations"):
        assert found[name] > 0, (name, found)
    # A machine that is busy with other things may be behind for a moment; BERT itself must not fail.
    assert found["fallback_reasons"].keys() <= {"behind"}, found
    assert found["dead_letters"] == sum(found["broken_sent"].values()) > 0
    assert found["dead_letter_reasons"] == found["broken_sent"]


def test_without_triton_scores_go_on_and_say_so_and_bert_comes_back(broker: Settings, tmp_path: Path) -> None:
    settings = local_settings(tmp_path, kafka_brokers=broker.kafka_brokers, topic_prefix="outage-", partitions=2)
    shop = Feed(settings)
    stack = Stack(settings, ["triton", "profile", "score"])
    with controlled(stack) as do:
        until(lambda: shop.scored(), lambda found: found["ensemble"] > 0, "BERT scores")
        do(stack.stop("triton"))
        before = shop.scored()
        after = until(lambda: shop.scored(), lambda found: found["online"] > before["online"] + 5, "scores go on")
        assert shop.fallbacks - {""}
        do(stack.start("triton"))
        until(lambda: shop.scored(), lambda found: found["ensemble"] > after["ensemble"] + 5, "BERT comes back")


class Feed:
    """Sends a little more of a simulated shop's history each time somebody looks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        start = time.time_ns() // 1_000_000 - 60 * DAY_MS
        self._events = Storefront(3, customers=60).events(start)
        self.fallbacks: set[str] = set()

    def scored(self) -> Counter[str]:
        """Scores so far by source, after some more events."""
        batch: dict[str, list[tuple[bytes | None, bytes]]] = {CLICKSTREAM.name: [], ORDERS.name: []}
        for _ in range(50):
            event = next(self._events)
            batch[event.topic].append((event.key, event.value))
        for topic in (CLICKSTREAM, ORDERS):
            send(self._settings, topic, batch[topic.name])
        scores = [json.loads(value or b"") for _, value in records(self._settings, SCORES)]
        self.fallbacks |= {score["fallback"] for score in scores}
        return Counter(score["source"] for score in scores)
