"""footfall: the real profile stage, with a count of its runs around it."""

import asyncio
import cProfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from deploy.bench.job import Job, Marks
from stream.kafka.stage import Stage
from stream.kafka.state import Out, PartitionState
from stream.kafka.transport import Run
from stream.kafka.worker import run_stage
from stream.settings import Settings
from stream.stages import profile

GATE_POLL_S = 0.005


class Metered:
    """A partition's state that counts the records it is given; everything else is its own."""

    def __init__(self, state: PartitionState, marks: Marks, gate: Callable[[Any], Awaitable[bool]] | None) -> None:
        self._state = state
        self._marks = marks
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    async def process(self, run: Run, out: Out) -> None:
        """The run, counted."""
        if self._gate is not None and not await self._gate(self):
            return
        self._marks.begin()
        await self._state.process(run, out)
        self._marks.done(len(run.records))


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
        tasks.add(asyncio.get_running_loop().create_task(stage.commit_now()))

    marks = Marks(job.total, finish, start=profiler.enable if profiler is not None else None)
    stage.wrap(lambda state: cast(PartitionState, Metered(state, marks, _gate(stage, job.gate) if job.gate else None)))
    return stage


def _gate(stage: Stage, path: str) -> Callable[[Any], Awaitable[bool]]:
    """Waits for the file; then whether the state is still one of an assigned partition."""

    async def opened(state: Any) -> bool:
        while not Path(path).exists():
            await asyncio.sleep(GATE_POLL_S)
        return any(owned.state is state for owned in stage.owned.values())

    return opened


def main() -> None:
    """Run until terminated."""
    run_stage(metered(Job.given()), "WARNING")


if __name__ == "__main__":
    main()
