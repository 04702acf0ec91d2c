"""`bench memory`: what a profile weighs, in a worker's memory and on the topic."""

import gc
import random
import statistics
import tracemalloc
from collections.abc import Callable
from dataclasses import fields
from itertools import islice
from typing import Any

import msgspec

from deploy.bench.aged import HEAVY, Maker, lives
from deploy.bench.events import SEED
from stream.features.codec import decode_profile
from stream.features.engine import Config, Engine
from stream.features.profile import Profile

_encoder = msgspec.msgpack.Encoder()
WANTED = 2_048
HEAVY_CUSTOMERS = 20


def measure(count: int, made: Callable[[int], None]) -> dict[str, Any]:
    """Weigh `count` customers as a shop has them, and a few heavy ones; `made` is told of every one."""
    maker = Maker()
    values = []
    for number, life in enumerate(islice(lives(random.Random(f"{SEED}-lives")), count)):
        values.append(maker.profile(number, life).encoded())
        made(1)
    heavy = []
    for number in range(HEAVY_CUSTOMERS):
        heavy.append(maker.profile(count + number, HEAVY).encoded())
        made(1)
    events = [decode_profile(value).events for value in heavy]
    return {
        "profiles": count,
        "topic_bytes": spread_of([len(value) for value in values]),
        "memory_bytes": _both(values),
        "heavy_topic_bytes": round(statistics.mean(map(len, heavy))),
        "heavy_topic_bytes_max": max(map(len, heavy)),
        "heavy_memory_bytes": _both(heavy),
        "heavy_fields": fields_of([decode_profile(value) for value in heavy]),
        "heavy_events": round(statistics.mean(events)),
        "wanted_heavy_topic_bytes": WANTED,
    }


def _both(values: list[bytes]) -> dict[str, int]:
    return {name: round(in_memory(values, touched=name == "touched")) for name in ("restored", "touched")}


def in_memory(values: list[bytes], *, touched: bool) -> float:
    """Bytes of memory for each profile that an engine has restored, its timers included; decoded if `touched`."""
    gc.collect()
    tracemalloc.start()
    try:
        engine = Engine(Config())
        for number, value in enumerate(values):
            if touched:
                engine.restore(decode_profile(value))
            else:
                # The worker's copy comes from Kafka: it is not shared with anybody.
                engine.restore_stored(f"customer-{number}", bytes(bytearray(value)))
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return held / len(values)


def fields_of(profiles: list[Profile], least: int = 50) -> dict[str, int]:
    """Where the bytes are: mean bytes of each field on the topic, the largest first, from `least` on."""
    means = {
        name: round(statistics.mean(len(_encoder.encode(getattr(profile, name))) for profile in profiles))
        for name in (field.name for field in fields(Profile))
    }
    return {name: size for name, size in sorted(means.items(), key=lambda pair: -pair[1]) if size >= least}


def spread_of(sizes: list[int]) -> dict[str, int]:
    """Mean, median and the 99th percentile."""
    ordered = sorted(sizes)
    return {
        "mean": round(statistics.mean(ordered)),
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
    }
