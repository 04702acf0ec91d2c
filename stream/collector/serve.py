"""Run the collector until SIGTERM or SIGINT, then answer what is in flight."""

import asyncio
import signal
import time
import uuid
from collections.abc import Callable

from aiohttp import web

from schemas.errors import OperatorError
from stream.collector.app import Collector
from stream.collector.messages import Reader
from stream.collector.sink import KafkaSink
from stream.kafka.producer import Producer
from stream.settings import Settings

LINGER_MS = 5
TOPICS = ("clickstream", "orders")


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve; `ready` gets the address once connections are accepted. Raises `OperatorError`."""
    producer = Producer(
        settings.kafka_brokers,
        client="footfall-collector",
        prefix=settings.topic_prefix,
        delivery_s=settings.collector_deadline_s,
        linger_ms=LINGER_MS,
    )
    sink = KafkaSink(producer, settings.collector_queue, settings.collector_deadline_s, TOPICS)
    collector = Collector(
        sink,
        Reader(settings.currency, settings.ahead_s * 1000, lambda: str(uuid.uuid4())),
        keys=settings.keys,
        origins=tuple(origin.strip() for origin in settings.collector_origins.split(",")),
        now=lambda: time.time_ns() // 1_000_000,
    )
    runner = web.AppRunner(
        collector.app(),
        access_log=None,
        auto_decompress=False,
        shutdown_timeout=settings.collector_deadline_s + 1,
    )
    sink.start()
    await runner.setup()
    try:
        site = await _listen(runner, settings)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        ready(f"http://{settings.collector_host}:{settings.collector_port}")
        await stop.wait()
        await site.stop()
        await collector.drain(settings.collector_deadline_s + 1)
    finally:
        await runner.cleanup()
        await sink.stop()


async def _listen(runner: web.AppRunner, settings: Settings) -> web.TCPSite:
    host, port = settings.collector_host, settings.collector_port
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        raise OperatorError(
            f"the collector cannot listen on {host}:{port} ({error.strerror}); free the port, or set "
            "FOOTFALL_COLLECTOR_PORT"
        ) from error
    return site
