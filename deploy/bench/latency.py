"""`bench latency`: from the moment an event was to be sent to its score and its alert, through the whole pipeline."""

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import Consumer

from deploy.bench.events import SPAN_S, events
from deploy.bench.load import Load
from deploy.bench.place import place
from deploy.local.supervisor import Announce
from schemas.topics import ALERTS, FEATURES, SCORES
from stream.backlog import REASON as BEHIND
from stream.settings import Settings
from stream.sources.audit import Lag

PARTS = ("kafka", "triton", "profile", "score")
# Triggers that an event gives; the others are silence, which nobody has sent.
BY_EVENTS = frozenset({"order", "review", "checkout", "cart", "engaged"})
LAG_EVERY_S = 0.5
# What came out this long after the last event still counts; a pipeline that is further behind is not waited for.
GRACE_S = 5.0
STANDSTILL = 50.0
# Half a minute of a shop in which everybody is new raises hardly an alert: with these the likeliest buyers raise some.
MARKS = {"high_intent": {"high": 0.1, "low": 0.05}}


class _Told(msgspec.Struct):
    """What is read of a score or an alert. `at` is the time of the event that it comes from."""

    customer: str
    at: int
    trigger: str = ""
    source: str = ""
    fallback: str = ""


@dataclass
class Heard:
    """Scores and alerts by when they were heard: (event's time, seconds after it), and where the scores come from."""

    scores: list[tuple[float, float]] = field(default_factory=list)
    alerts: list[tuple[float, float]] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    fallbacks: dict[str, int] = field(default_factory=dict)


class Listener:
    """Reads scores and alerts as they come, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.heard = Heard()
        self._scores = settings.topic(SCORES.name)
        self._decoder = msgspec.json.Decoder(_Told)
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka_brokers,
                "group.id": "footfall-bench-listener",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
            }
        )
        self._consumer.subscribe([self._scores, settings.topic(ALERTS.name)])
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def stop(self) -> Heard:
        """All that was heard."""
        self._halt.set()
        self._thread.join()
        self._consumer.close()
        return self.heard

    def _run(self) -> None:
        while not self._halt.is_set():
            for message in self._consumer.consume(500, 0.01):
                if message.error() is None:
                    self._hear(message.topic() or "", message.value() or b"", time.time())

    def _hear(self, topic: str, value: bytes, now: float) -> None:
        told = self._decoder.decode(value)
        heard, at = self.heard, told.at / 1000
        if topic != self._scores:
            heard.alerts.append((at, now - at))
        elif told.trigger in BY_EVENTS:
            heard.scores.append((at, now - at))
            heard.sources[told.source] = heard.sources.get(told.source, 0) + 1
            if told.fallback:
                heard.fallbacks[told.fallback] = heard.fallbacks.get(told.fallback, 0) + 1


async def latency(
    settings: Settings, rate: float, seconds: float, warm_up_s: float, partitions: int, announce: Announce
) -> dict[str, Any]:
    """Send `rate` events a second for `warm_up_s` and then `seconds`, of which the latter are measured."""
    source = await asyncio.to_thread(list, events(int(rate * (warm_up_s + seconds)), span_s=SPAN_S))
    async with place(settings, PARTS, announce=announce, partitions=partitions, alert_marks=MARKS) as (own, _):
        listener = Listener(own)
        load = Load(own, source, rate)
        lags: list[tuple[float, int]] = []
        announce("load", f"{rate:,.0f} events/s for {warm_up_s + seconds:.0f} s")
        load.start()
        try:
            await _watch(own, load, lags)
        finally:
            await asyncio.to_thread(load.stop)
            heard = await asyncio.to_thread(listener.stop)
    begin = load.began + warm_up_s
    return summary(heard, lags, begin, begin + seconds) | {
        "rate": rate,
        "seconds": seconds,
        "sent_per_s": round(load.sent / (warm_up_s + seconds), 1),
        "partitions": partitions,
    }


async def _watch(settings: Settings, load: Load, lags: list[tuple[float, int]]) -> None:
    """Note how many snapshots wait to be scored, until the load and the grace are over."""
    lag = Lag(settings, "footfall-score", FEATURES.name)
    end = None
    try:
        while end is None or time.time() < end:
            lags.append((time.time(), await asyncio.to_thread(lag.read)))
            await asyncio.sleep(LAG_EVERY_S)
            if load.done and end is None:
                end = time.time() + GRACE_S
    finally:
        lag.close()


def summary(heard: Heard, lags: Sequence[tuple[float, int]], begin: float, end: float) -> dict[str, Any]:
    """What events of the measured time, `begin` to `end` (seconds of the epoch), came to; lags of the same time."""
    alerts = [took for at, took in heard.alerts if begin <= at < end]
    scores = [took for at, took in heard.scores if begin <= at < end]
    waited = [count for at, count in lags if begin <= at < end] or [0]
    third = max(1, len(waited) // 3)
    start, last = sum(waited[:third]) / third, sum(waited[-third:]) / third
    scored = sum(begin <= at + took < end for at, took in heard.scores)
    # A queue that grows by less than a second's worth of scores stands still.
    bounded = last - start <= max(scored / (end - begin), STANDSTILL)
    return {
        **{f"{name}_ms": value for name, value in percentiles(alerts).items()},
        "alerts": len(alerts),
        "score": {f"{name}_ms": value for name, value in percentiles(scores).items()} | {"count": len(scores)},
        "scores_per_s": round(scored / (end - begin), 1),
        "sources": heard.sources,
        "fallbacks": heard.fallbacks,
        "waiting": {"start": round(start), "end": round(last), "max": max(waited)},
        "bounded": bounded,
        "kept_up": bounded and not heard.fallbacks.get(BEHIND),
    }


def percentiles(seconds: Iterable[float]) -> dict[str, float | None]:
    """p50, p95, p99 and max in ms; None where there is nothing."""
    ordered = sorted(seconds)

    def at(share: float) -> float | None:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1) if ordered else None

    return {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)}
