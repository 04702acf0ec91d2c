"""Waiting for something to become true."""

import asyncio
import time
from collections.abc import Callable

from schemas.errors import OperatorError

POLL_S = 0.05
LIMIT_S = 120.0


async def until(good: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Ask, outside the event loop, until it is so. Raises `OperatorError` where that takes longer than `limit_s`."""
    end = time.monotonic() + limit_s
    while not await asyncio.to_thread(good):
        if time.monotonic() > end:
            raise OperatorError(f"within {limit_s:.0f} s it was not so that {what}")
        await asyncio.sleep(POLL_S)
