"""The demo itself: stack up, storefront open, watch until the time is over, and a summary of what came out."""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable
from typing import Any

from deploy.demo.watch import Watch
from deploy.local.supervisor import Announce, Stack
from deploy.simulate.pace import LEAD, Driver
from deploy.simulate.storefront import Storefront
from schemas.topics import ALERTS, CLICKSTREAM, DEAD_LETTERS, EXAMPLES, FEATURES, ORDERS, RECOMMENDATIONS, SCORES
from stream.kafka.producer import Producer
from stream.kafka.stage import group_id
from stream.settings import Settings
from stream.sources.audit import Lag

DRAIN_S = 60.0
Show = Callable[[Watch, Driver], None]


def demo_settings(settings: Settings) -> Settings:
    """A place of its own, made afresh: the demo's 60 days must not meet the clock of an earlier run."""
    folder = settings.data_dir / "demo"
    if settings.given("kafka_brokers"):
        prefix = f"{settings.topic_prefix}demo-{int(time.time()):x}-"
        return settings.model_copy(update={"data_dir": folder, "topic_prefix": prefix})
    return settings.model_copy(update={"data_dir": folder})


async def run(
    settings: Settings,
    *,
    seconds: float | None,
    seed: int,
    customers: int,
    fast_seconds: float,
    broken: float,
    announce: Announce,
    show: Show,
    stop: asyncio.Event,
) -> dict[str, Any]:
    """Run until `seconds` have passed since the stack was ready (None: until `stop`); returns the summary."""
    if not settings.given("kafka_brokers"):
        shutil.rmtree(settings.data_dir / "kafka", ignore_errors=True)
    async with Stack(settings, announce=announce):
        began = time.monotonic()
        halt = threading.Event()
        watch = Watch(settings)
        driver = _driver(settings, seed, customers, fast_seconds, broken)
        watching = asyncio.create_task(asyncio.to_thread(watch.run, halt))
        sending_halt = threading.Event()
        sending = asyncio.create_task(asyncio.to_thread(driver.run, sending_halt))
        try:
            await _until(stop, seconds, [watching, sending], lambda: show(watch, driver))
        finally:
            sending_halt.set()
            await sending
            await asyncio.to_thread(_drained, settings)
            halt.set()
            await watching
        return summary(watch, driver, time.monotonic() - began)


def _driver(settings: Settings, seed: int, customers: int, fast_seconds: float, broken: float) -> Driver:
    producer = Producer(settings.kafka_brokers, client="footfall-demo", prefix=settings.topic_prefix, in_flight=LEAD)
    producer.connect((CLICKSTREAM.name, ORDERS.name))
    return Driver(Storefront(seed, customers=customers), producer, seed=seed, fast_s=fast_seconds, broken=broken)


async def _until(
    stop: asyncio.Event, seconds: float | None, tasks: list[asyncio.Task[None]], show: Callable[[], None]
) -> None:
    """Show twice a second until it is time; a task that ends early has failed, and raises here."""
    end = None if seconds is None else time.monotonic() + seconds
    stopped = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set() and (end is None or time.monotonic() < end):
            done, _ = await asyncio.wait([*tasks, stopped], timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
            show()
    finally:
        stopped.cancel()


def _drained(settings: Settings) -> bool:
    """Wait (boundedly) until the profile stage has read all that was sent, so that the counts are final."""
    group = group_id(settings, "profile").removeprefix(settings.topic_prefix)
    lags = [Lag(settings, group, topic.name) for topic in (CLICKSTREAM, ORDERS)]
    end = time.monotonic() + DRAIN_S
    try:
        while any(lag.read() for lag in lags):
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True
    finally:
        for lag in lags:
            lag.close()


def summary(watch: Watch, driver: Driver, seconds: float) -> dict[str, Any]:
    """What came out, as the JSON that `footfall demo --json` prints."""
    return {
        "events": driver.sent,
        "features": watch.counts[FEATURES.name],
        "scores": watch.counts[SCORES.name],
        "bert_scores": watch.sources["ensemble"],
        "fallback_scores": watch.sources["online"],
        "examples": watch.counts[EXAMPLES.name],
        "alerts": watch.counts[ALERTS.name],
        "recommendations": watch.counts[RECOMMENDATIONS.name],
        "dead_letters": watch.counts[DEAD_LETTERS.name],
        "seconds": round(seconds, 1),
        "first_bert_alert_s": None if watch.first_alert_s is None else round(watch.first_alert_s, 1),
        "alerts_by_kind": dict(watch.kinds),
        "fallback_reasons": dict(watch.fallbacks),
        "broken_sent": {reason.value: count for reason, count in driver.broken.items()},
        "dead_letter_reasons": dict(watch.reasons),
        "online_model": None if watch.model is None else watch.model.version,
        "auc": {} if watch.model is None else _aucs(watch.model.metrics),
    }


def _aucs(metrics: dict[str, float]) -> dict[str, float]:
    """Rolling ROC AUC by target and source, of what was served."""
    return {name.removesuffix(".auc"): round(value, 3) for name, value in metrics.items() if name.endswith(".auc")}
