"""A process that a benchmark starts: what it says is heard, and it is gone at the end whatever happened."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from deploy.bench.job import LAST
from schemas import compiled
from schemas.errors import OperatorError

ROOT = Path(__file__).parents[2]
GRACE_S = 15.0
LONGEST_LINE = 1 << 24
# How a traceback ends: `package.module.NameOfTheError: what it says`.
_RAISED = re.compile(r"[\w.]*[A-Z]\w+: ")
Marks = dict[str, dict[str, float]]


class Child:
    """A running process and its log."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.process = process
        self._log = log

    async def marks(self) -> Marks:
        """What it says of its first record and its last. Raises `OperatorError` where it ends before."""
        marks: Marks = {}
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            # What a library prints without an end of line stands before it.
            _, mark, rest = line.partition(b'{"mark"')
            if mark:
                said = json.loads(mark + rest)
                marks[said["mark"]] = said
                if said["mark"] == LAST:
                    return marks
        raise self.failed()

    async def line(self) -> dict[str, Any]:
        """The next line that it says, an object of JSON. Raises `OperatorError` where it ends before."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.startswith(b"{"):
                said: dict[str, Any] = json.loads(line)
                return said
        raise self.failed()

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Its answer to a question, both an object of JSON on one line. Raises `OperatorError` where it ends before."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        with suppress(ConnectionError):
            await self.process.stdin.drain()
        return await self.line()

    def failed(self) -> OperatorError:
        """Why it did not do its work: the last error that it wrote, or else its last line."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        errors = [line for line in lines if _RAISED.match(line)]
        return OperatorError(f"{self.name} did not finish: {(errors or lines or ['it said nothing'])[-1]}")

    def kill(self) -> None:
        """KILL it, as an accident would."""
        self.process.kill()


@asynccontextmanager
async def child(
    name: str,
    arguments: Sequence[str],
    folder: Path,
    *,
    python: str = sys.executable,
    env: dict[str, str] | None = None,
) -> AsyncIterator[Child]:
    """Run `python -m arguments…` with its log in `folder` while the block runs; then TERM, and KILL after a grace."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    # Whichever Python it is, it runs the core as this one does.
    known = {"PYTHONPATH": str(ROOT), compiled.SWITCH: os.environ.get(compiled.SWITCH) or str(compiled.base())}
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            python,
            "-m",
            *arguments,
            cwd=ROOT,
            env=os.environ | known | (env or {}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LONGEST_LINE,
        )
    try:
        yield Child(name, process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(GRACE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
