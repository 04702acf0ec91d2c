"""One child process of the stack: its own session, its output in a log, stopped as a whole group."""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.reaper import STACK_ID


@dataclass(frozen=True, slots=True)
class Command:
    """A program, its arguments, and the variables added to the environment it inherits."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


class Process:
    """A running command, leader of its own process group: a Ctrl-C in the terminal reaches the supervisor alone."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @classmethod
    async def spawn(cls, command: Command, log: Path, stack_id: str) -> "Process":
        """Start a command; what it prints is appended to `log`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                env={**os.environ, **command.env, STACK_ID: stack_id},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(process)

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait until it has ended, and end what is left of its group; returns the exit code."""
        code = await self._process.wait()
        self._signal_group(signal.SIGKILL)
        return code

    async def stop(self, grace_s: float) -> int:
        """TERM to the leader, who knows how to drain; KILL to the whole group when the grace is over."""
        if self.code is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(grace_s):
                    await self._process.wait()
            except TimeoutError:
                self.kill()
        return await self.wait()

    def kill(self) -> None:
        """KILL to the whole group."""
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        # The leader's pid stays the group's id while any member lives; an empty group is what is wanted here.
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return
