"""Run the recommender until SIGTERM or SIGINT: one task follows the interactions, the rest answer."""

import asyncio
import gc
import signal
import time
from collections.abc import Callable

from aiohttp import web

from schemas.errors import OperatorError
from stream.recommender.app import Recommender
from stream.recommender.items import Items
from stream.settings import Settings


async def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve; `ready` gets the address once connections are accepted. Raises `OperatorError`."""
    items = Items()
    follower = items.followed_by(settings)
    recommender = Recommender(
        lambda: items.index,
        follower.caught_up.is_set,
        keys=settings.keys,
        origins=tuple(origin.strip() for origin in settings.collector_origins.split(",")),
        now=lambda: time.time_ns() // 1_000_000,
        explore=settings.explore,
    )
    runner = web.AppRunner(recommender.app(), access_log=None)
    await runner.setup()
    following = asyncio.create_task(items.follow(settings, follower))
    settled = asyncio.create_task(_settle(follower.caught_up))
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


async def _settle(caught_up: asyncio.Event) -> None:
    """What has been read is kept: from then on no collection of garbage looks at all of it, as answers would wait."""
    await caught_up.wait()
    gc.collect()
    gc.freeze()
