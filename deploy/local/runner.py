"""One part while the stack runs: started, made ready, watched, restarted when it dies, stopped."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.part import NotReady, Part, Say
from deploy.local.process import Process
from schemas.errors import OperatorError

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
STEADY_S = 60.0
GRACE_S = 10.0
POLL_S = 0.1
WATCH_S = 2.0
FAILURES = 3


class Runner:
    """Keeps one part alive: one that ran for a minute is restarted soon, one that keeps dying ever more slowly."""

    def __init__(self, part: Part, log: Path, stack_id: str, say: Say, changed: Callable[[], None]) -> None:
        self.part = part
        self.log = log
        self.state = "stopped"
        self.restarts = 0
        self._stack_id = stack_id
        self._say = say
        self._changed = changed
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.code is None else None

    async def start(self) -> None:
        """Start it and return once it is ready; OperatorError where it ends or does not get ready in time."""
        if self._keeper is not None:
            return
        self._set("starting")
        try:
            await asyncio.to_thread(self.part.prepare, self._say)
            began = time.monotonic()
            await self._launch()
        except BaseException:
            await self._end(GRACE_S)
            self._set("failed")
            raise
        took = f"  ready in {time.monotonic() - began:.1f} s" if self._process else ""
        self._say(f"{self.part.address}{took}")
        if self._process is not None:
            self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """End it, and keep it so."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        await self._end(grace_s)
        self._set("stopped")

    def kill(self) -> None:
        """KILL its processes, as an accident would; the keeper then restarts it."""
        if self._process is not None:
            self._process.kill()

    async def restarted(self, times: int) -> None:
        """Wait until it has been restarted this many times, and is ready."""
        while self.restarts < times or self.state != "ready":
            await asyncio.sleep(POLL_S)

    async def _launch(self) -> None:
        """One start up to readiness."""
        command = self.part.command()
        if command is not None:
            self._process = await Process.spawn(command, self.log, self._stack_id)
            self._set("starting")
            await self._until_ready(self._process)
        self._set("ready")

    async def _until_ready(self, process: Process) -> None:
        deadline = time.monotonic() + self.part.ready_s
        while True:
            if process.code is not None:
                raise OperatorError(
                    f"{self.part.name} ended with code {process.code} while starting: "
                    f"{last_line(self.log)} (see {self.log})"
                )
            try:
                return await asyncio.to_thread(self.part.probe)
            except NotReady as error:
                if time.monotonic() > deadline:
                    raise OperatorError(
                        f"{self.part.name} is not ready after {self.part.ready_s:.0f} s: {error} (see {self.log})"
                    ) from error
            await asyncio.sleep(POLL_S)

    async def _keep(self) -> None:
        """Restart it whenever it ends or stops working."""
        delay, since = FIRST_DELAY_S, time.monotonic()
        while True:
            assert self._process is not None
            reason = await self._until_broken(self._process)
            await self._end(GRACE_S)
            self._set("failed")
            if time.monotonic() - since > STEADY_S:
                delay = FIRST_DELAY_S
            self._say(f"{reason}; starting it again in {delay:.0f} s (see {self.log})")
            await asyncio.sleep(delay)
            delay, since = min(2 * delay, LONGEST_DELAY_S), time.monotonic()
            self.restarts += 1
            try:
                await self._launch()
            except OperatorError as error:
                self._say(str(error))
            else:
                self._say(f"{self.part.address}  ready again after {time.monotonic() - since:.1f} s")

    async def _until_broken(self, process: Process) -> str:
        """Wait until the process has ended or, where the part is watched, fails its probe three times in a row."""
        ended = asyncio.create_task(process.wait())
        failures, reason = 0, ""
        try:
            while True:
                done, _ = await asyncio.wait({ended}, timeout=WATCH_S if self.part.watched else None)
                if done:
                    return f"ended with code {ended.result()}"
                try:
                    await asyncio.to_thread(self.part.probe)
                    failures = 0
                except NotReady as error:
                    failures, reason = failures + 1, str(error)
                if failures == FAILURES:
                    return f"does not work any more ({reason})"
        finally:
            ended.cancel()

    async def _end(self, grace_s: float) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop(grace_s)
            self.part.clean()

    def _set(self, state: str) -> None:
        self.state = state
        self._changed()


def last_line(log: Path) -> str:
    """The last thing a part said, shortened."""
    with contextlib.suppress(OSError):
        lines = [line for line in log.read_text(errors="replace")[-8_192:].splitlines() if line.strip()]
        if lines:
            return lines[-1].strip()[:300]
    return "it said nothing"
