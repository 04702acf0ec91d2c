"""How soon the recommender answers over HTTP: open-loop load on a real server, the index at work meanwhile.

Requests are sent at times fixed beforehand and a latency counts from when its request was to be sent, so that a server
that stalls delays nobody's clock. The server is a process of its own, as in production, without Kafka: it learns
`events_per_s` interactions while it answers.
"""

import asyncio
import base64
import gc
import multiprocessing
import time
from typing import Any, Final

import aiohttp
import numpy as np
from aiohttp import web

from deploy.bench.shop_sessions import sessions
from deploy.bench.shop_views import STEP_MS, views
from online.index import ItemIndex
from stream.recommender.app import Recommender

KEY: Final = "bench"
TICK_S: Final = 0.02


def measure(
    items: int = 10_000, clicks: int = 50_000, rate: int = 100, seconds: float = 10.0, events_per_s: int = 100
) -> dict[str, Any]:
    """p50 and p99 of an answer in ms, the server's CPU ms for one, and how many failed."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_serve, args=(there, items, clicks, events_per_s), daemon=True)
    server.start()
    try:
        port = here.recv()
        customers = clicks // 5
        walls, failed = asyncio.run(_load(port, customers, rate, seconds))
        here.send("stop")
        cpu = here.recv()
    finally:
        server.join(10)
        server.kill()
    p50, p99 = np.percentile(walls, [50, 99]) * 1e3
    return {
        "rate": rate,
        "requests": len(walls),
        "failed": failed,
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "server_cpu_ms": round(1e3 * cpu / max(1, len(walls)), 2),
    }


async def _load(port: int, customers: int, rate: int, seconds: float) -> tuple[list[float], int]:
    auth = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
    walls: list[float] = []
    failed = 0

    async def ask(session: aiohttp.ClientSession, due: float, customer: int) -> None:
        nonlocal failed
        async with session.get(f"http://127.0.0.1:{port}/v1/recommendations/{customer}") as answer:
            await answer.read()
            failed += answer.status != 200
        walls.append(time.perf_counter() - due)

    picked = np.random.default_rng(1).integers(customers, size=int(rate * seconds)).tolist()
    async with aiohttp.ClientSession(headers=auth) as session, asyncio.TaskGroup() as group:
        began = time.perf_counter()
        for number, customer in enumerate(picked):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(ask(session, due, customer))
    return walls, failed


def _serve(pipe: Any, items: int, clicks: int, events_per_s: int) -> None:
    asyncio.run(_answer(pipe, items, clicks, events_per_s))


async def _answer(pipe: Any, items: int, clicks: int, events_per_s: int) -> None:
    index = ItemIndex()
    rows = sessions(items, clicks)
    clicked = list(views(rows))
    for view in clicked:
        index.learn_one(view)
    # As the server does once it has read everything.
    gc.collect()
    gc.freeze()
    recommender = Recommender(lambda: index, lambda: True, keys=frozenset({KEY}), now=lambda: len(rows) * STEP_MS)
    runner = web.AppRunner(recommender.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pipe.send(runner.addresses[0][1])
    began = time.process_time()
    due = time.perf_counter()
    place = 0
    while not pipe.poll():
        due += TICK_S
        for view in clicked[place : place + round(events_per_s * TICK_S)]:
            index.learn_one(view)
        place = (place + round(events_per_s * TICK_S)) % len(clicked)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    pipe.send(time.process_time() - began)
    await runner.cleanup()
