"""Run the recommender until SIGTERM or SIGINT: tasks follow the topics, the rest answer."""

import asyncio
import gc
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from aiohttp import web

from schemas.errors import OperatorError
from stream.kafka.producer import DeliveryFailed, Producer
from stream.recommender.app import Recommender
from stream.recommender.items import Items
from stream.recommender.metrics import Metrics
from stream.recommender.telling import Telling
from stream.settings import Settings

# At the end Kafka gets so many seconds to take the last of what it is told.
LAST_S: Final = 5.0


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve; `ready` gets the address once connections are accepted. Raises `OperatorError`."""
    items = Items(settings.currency)
    followers = items.followed_by(settings)
    metrics = Metrics()
    metrics.index.watch(items)
    producer = Producer(settings.kafka_brokers, client="footfall-recommender", prefix=settings.topic_prefix)
    recommender = Recommender(
        lambda: items.index,
        lambda: all(follower.caught_up.is_set() for follower in followers),
        tell=Telling(producer, metrics.untold.inc),
        metrics=metrics,
        keys=settings.keys,
        origins=tuple(origin.strip() for origin in settings.collector_origins.split(",")),
        now=lambda: time.time_ns() // 1_000_000,
        explore=settings.explore,
    )
    runner = web.AppRunner(recommender.app(), access_log=None)
    await runner.setup()
    following = asyncio.create_task(items.follow(settings, followers))
    settled = asyncio.create_task(_settle([follower.caught_up for follower in followers]))
    try:
        host, port = settings.recommender_host, settings.recommender_port
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise OperatorError(
                f"the recommender cannot listen on {host}:{port} ({error.strerror}); free the port, or set "
                "FOOTFALL_RECOMMENDER_PORT"
            ) from error
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        ready(f"http://{host}:{port}")
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({stopped, following}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
    finally:
        following.cancel()
        settled.cancel()
        await runner.cleanup()
        with suppress(DeliveryFailed):
            await asyncio.to_thread(producer.flush, LAST_S)


async def _settle(caught_up: Sequence[asyncio.Event]) -> None:
    """What has been read is kept: from then on no collection of garbage looks at all of it, as answers would wait."""
    for event in caught_up:
        await event.wait()
    gc.collect()
    gc.freeze()
