"""The stack: its parts started wave by wave, kept alive, and stopped in reverse order with nothing left behind."""

import asyncio
import os
import sys
import uuid
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from deploy.local import catalogue
from deploy.local.part import Part
from deploy.local.ports import check_disk
from deploy.local.runner import GRACE_S, Runner
from deploy.local.state import PartState, StackState, lock
from schemas.errors import OperatorError
from stream.settings import Settings

Announce = Callable[[str, str], None]
"""Called with a part's name and one line about it."""


class Stack:
    """`async with Stack(settings, parts=["kafka", "profile"]) as stack:` runs these parts until the block ends.

    Entering returns once every part does its work, and raises OperatorError where one cannot; leaving stops everything.
    `build` makes a part from its name, so that tests can put in their own.
    """

    def __init__(
        self,
        settings: Settings,
        parts: Collection[str] | None = None,
        *,
        announce: Announce = lambda _name, _line: None,
        build: Callable[[str, Settings, str], Part | None] = catalogue.build,
        waves: tuple[tuple[str, ...], ...] = catalogue.WAVES,
        grace_s: float = GRACE_S,
    ) -> None:
        self.settings = settings
        self.id = uuid.uuid4().hex[:12]
        self._selected = (
            catalogue.select(parts) if waves is catalogue.WAVES else tuple(n for wave in waves for n in wave)
        )
        self._announce = announce
        self._build = build
        self._waves = waves
        self._grace_s = grace_s
        self._folder = settings.data_dir.resolve()
        self._runners: dict[str, Runner] = {}
        self._lock: int | None = None
        self._reaper: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start_all()
        except BaseException:
            await self._stop_all()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_all()

    async def start(self, name: str) -> None:
        """Start a stopped part and wait until it is ready."""
        await self._runner(name).start()

    async def stop(self, name: str) -> None:
        """Stop a part and keep it stopped."""
        await self._runner(name).stop()

    def kill(self, name: str) -> None:
        """KILL a part, as an accident would; it is restarted."""
        self._runner(name).kill()

    async def restarted(self, name: str, times: int = 1) -> None:
        """Wait until a part has been restarted this many times since the stack began, and is ready."""
        await self._runner(name).restarted(times)

    def pid(self, name: str) -> int | None:
        """A part's process id while it runs."""
        return self._runner(name).pid

    def state(self) -> StackState:
        """What runs now."""
        state = StackState(
            self.id, os.getpid(), self.settings.kafka_brokers, self.settings.triton_url, self.settings.topic_prefix
        )
        for name, runner in self._runners.items():
            state.parts[name] = PartState(
                runner.part.address, runner.state, runner.pid, runner.restarts, str(runner.log) if runner.pid else None
            )
        return state

    async def _start_all(self) -> None:
        check_disk(self._folder)
        self._lock = await asyncio.to_thread(lock, self._folder)
        for name in self._selected:
            part = self._build(name, self.settings, self.id)
            if part is None:
                self._announce(name, "not installed here, left out")
                continue
            for port in part.ports:
                port.check()
            log = self._folder / "logs" / f"{name}.log"
            self._runners[name] = Runner(part, log, self.id, self._sayer(name), self._write)
        self._reaper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.local.reaper", self.id),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
            pass_fds=(self._lock,),
        )
        for wave in self._waves:
            try:
                async with asyncio.TaskGroup() as group:
                    for runner in self._of(wave):
                        group.create_task(runner.start())
            except BaseExceptionGroup as errors:
                if expected := errors.subgroup(OperatorError):
                    raise expected.exceptions[0] from errors
                raise

    async def _stop_all(self) -> None:
        for wave in reversed(self._waves):
            await asyncio.gather(*(runner.stop(self._grace_s) for runner in self._of(wave)))
        if self._reaper is not None and self._reaper.stdin is not None:
            self._reaper.stdin.close()
            await self._reaper.wait()
            self._reaper = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _runner(self, name: str) -> Runner:
        try:
            return self._runners[name]
        except KeyError:
            raise OperatorError(f"`{name}` is not part of this stack: {', '.join(self._runners)}") from None

    def _sayer(self, name: str) -> Callable[[str], None]:
        loop = asyncio.get_running_loop()

        def say(line: str) -> None:
            loop.call_soon_threadsafe(self._announce, name, line)

        return say

    def _of(self, wave: tuple[str, ...]) -> list[Runner]:
        return [self._runners[name] for name in wave if name in self._runners]

    def _write(self) -> None:
        self.state().write(self._folder)
