"""A real profile worker that stops reading after some records, as consumers are known to: `stalling_worker WHAT AFTER`.

WHAT is `fetcher` (nothing is fetched any more) or `partition` (one partition is left out for ever).
"""

import asyncio
import logging
import sys

from stream.kafka.worker import run_stage
from stream.settings import Settings
from stream.stages.profile import stage

POLL_S = 0.05


def main(what: str, after: int) -> None:
    logging.basicConfig(level="WARNING", stream=sys.stderr)
    profile = stage(Settings())

    async def stall() -> None:
        consumer = profile.app.consumer
        while sum(offset + 1 for offset in consumer.fetched.values()) < after:
            await asyncio.sleep(POLL_S)
        client = consumer._thread._ensure_consumer()
        if what == "fetcher":
            consumer._thread.thread_loop.call_soon_threadsafe(client._fetcher._fetch_task.cancel)
        else:
            client.pause(next(iter(consumer.fetched)))

    profile.app.task(stall)
    run_stage(profile, "WARNING")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
