"""restore: the real profile stage, from being given its partitions until all of them are restored."""

import asyncio

from deploy.bench.entrants.footfall import settings
from deploy.bench.job import FIRST, LAST, Job, say
from stream.kafka.stage import Stage
from stream.kafka.state import PartitionState
from stream.kafka.worker import run_stage
from stream.stages import profile

POLL_S = 0.005


def watched(job: Job) -> Stage:
    """The profile stage, which says when it begins to restore and when it is ready."""
    stage = profile.stage(settings(job))
    tasks: set[asyncio.Task[None]] = set()

    def given(state: PartitionState) -> PartitionState:
        if not tasks:
            say(FIRST)
            tasks.add(asyncio.get_running_loop().create_task(_until_ready(stage, job.partitions)))
        return state

    stage.wrap(given)
    return stage


async def _until_ready(stage: Stage, partitions: int) -> None:
    while sum(owned.ready.is_set() for owned in stage.owned.values()) < partitions:
        await asyncio.sleep(POLL_S)
    say(LAST)


def main() -> None:
    """Run until terminated."""
    run_stage(watched(Job.given()), "WARNING")


if __name__ == "__main__":
    main()
