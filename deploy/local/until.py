"""Running until a signal: Ctrl-C, TERM or a closed terminal end the work in order, whatever it was doing."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_signalled(work: Coroutine[Any, Any, None], on_signal: Callable[[], None] = lambda: None) -> bool:
    """Await `work`, cancelling it at the first signal; whether there was one. Its errors are raised as they are.

    Further signals change nothing: stopping is bounded by the parts' own grace, and must not be cut short.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work)
    signalled = False

    def stop() -> None:
        nonlocal signalled
        if not signalled:
            signalled = True
            on_signal()
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not signalled:
            raise
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    return signalled
