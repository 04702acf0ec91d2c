"""`bench scale`: the same events through one, two and four workers of the profile stage."""

import asyncio
import os
import statistics
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from deploy.bench.child import child
from deploy.bench.contenders import CONTENDERS, OURS
from deploy.bench.events import events
from deploy.bench.fill import fill
from deploy.bench.group import shares
from deploy.bench.place import place
from deploy.bench.turn import LIMIT_S, Turn, check, committed, prepare
from deploy.bench.wait import until
from deploy.local.supervisor import Announce
from schemas.errors import OperatorError
from stream.settings import Settings

WORKERS = (1, 2, 4)
PREFIX = "scale-"
# The last commit would otherwise add up to a second, which weighs more the faster they are.
FLUSH_S = 0.2
(CONTENDER,) = (contender for contender in CONTENDERS if contender.name == OURS)


async def scale(
    settings: Settings, total: int, partitions: int, rounds: int, announce: Announce, sent: Callable[[int], None]
) -> dict[str, Any]:
    """The median rate of each number of workers over `rounds`, their order turned round every time."""
    async with place(settings, announce=announce, partitions=partitions) as (own, _):
        filled = await asyncio.to_thread(fill, own, PREFIX, events(total), sent)
        rates: dict[int, list[float]] = {count: [] for count in WORKERS}
        for number in range(rounds):
            for count in WORKERS[:: -1 if number % 2 else 1]:
                run = f"{count}-{number}"
                turn = Turn(own, PREFIX, filled, run, True, own.data_dir / run)
                rates[count].append(await rate(turn, count))
                announce("scale", f"{count} workers: {rates[count][-1]:,.0f} events/s")
    return {
        "workers": {str(count): round(statistics.median(rates[count])) for count in WORKERS},
        "cores": os.cpu_count(),
        "partitions": partitions,
        "events": total,
        "rounds": rounds,
    }


async def rate(turn: Turn, count: int) -> float:
    """Records a second of `count` workers together, who begin at once when each has its partitions."""
    await asyncio.to_thread(prepare, turn, CONTENDER)
    gate = turn.folder / "gate"
    job = replace(turn.job(CONTENDER), gate=str(gate), flush_s=FLUSH_S)
    async with AsyncExitStack() as stack:
        for number in range(count):
            folder = turn.folder / str(number)
            own = replace(job, folder=str(folder))
            await stack.enter_async_context(child(f"worker {number}", (CONTENDER.module, own.argument()), folder))
        await until(lambda: shares(turn.settings, job.group) >= count, f"{count} workers share the partitions")
        began = time.monotonic()
        gate.touch()
        try:
            async with asyncio.timeout(LIMIT_S):
                end = await committed(job)
        except TimeoutError:
            raise OperatorError(f"{count} workers did not finish within {LIMIT_S:.0f} s") from None
    await asyncio.to_thread(check, turn, CONTENDER)
    return turn.filled.total / (end - began)
