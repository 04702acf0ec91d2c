"""footfall: the real profile stage, with a count of its runs around it."""

import asyncio
import cProfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from deploy.bench.job import Job, Marks
from stream.kafka.stage import Stage
from stream.kafka.state import Out, PartitionState
from stream.kafka.transport import Run
from stream.kafka.worker import run_stage
from stream.settings import Settings
from stream.stages import profile

GATE_POLL_S = 0.005
COMMIT_S = 0.05


def settings(job: Job) -> Settings:
    """The stage's settings for this job, whatever the environment says."""
    return Settings.model_validate(
        {
            "kafka_brokers": job.brokers,
            "topic_prefix": job.prefix,
            "partitions": job.partitions,
            "data_dir": job.folder,
            "emit": job.outputs,
            "flush_interval_s": job.flush_s,
        }
    )


def metered(job: Job) -> Stage:
    """The profile stage, metered."""
    stage = profile.stage(settings(job))
    tasks: set[asyncio.Task[None]] = set()
    profiler = cProfile.Profile() if job.profile_to else None

    def finish() -> None:
        if profiler is not None:
            profiler.disable()
            profiler.dump_stats(job.profile_to)
        tasks.add(asyncio.get_running_loop().create_task(_commit(stage)))

    marks = Marks(job.total, finish, start=profiler.enable if profiler is not None else None)
    stage.wrap(lambda state: _counted(state, marks, partial(_opened, stage, job.gate)))
    return stage


def _counted(
    state: PartitionState, marks: Marks, opened: Callable[[PartitionState], Awaitable[bool]]
) -> PartitionState:
    """The state itself, which now counts the records that it is given."""
    process = state.process

    async def counted(run: Run, out: Out) -> None:
        if await opened(state):
            marks.begin()
            await process(run, out)
            marks.done(len(run.records))

    state.process = counted  # type: ignore[method-assign]
    return state


async def _opened(stage: Stage, gate: str, state: PartitionState) -> bool:
    """Wait for the gate, where there is one; then whether the state is still one of an assigned partition."""
    while gate and not Path(gate).exists():
        await asyncio.sleep(GATE_POLL_S)
    return any(owned.state is state for owned in stage.owned.values())


async def _commit(stage: Stage) -> None:
    """Make what was processed durable now, again until the process is ended: some of it may still have waited."""
    while True:
        await stage.commit_now()
        await asyncio.sleep(COMMIT_S)


def main() -> None:
    """Run until terminated."""
    run_stage(metered(Job.given()), "WARNING")


if __name__ == "__main__":
    main()
