"""Running what an installation runs: quietly, alone, and where it fails with what it said last."""

import subprocess
from pathlib import Path

from filelock import BaseFileLock, FileLock

from schemas.errors import OperatorError


def alone(folder: Path) -> BaseFileLock:
    """A lock on `folder`, which it makes: of several processes that would install into it, one does; the others wait.

    A process that dies gives it up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".installing")


def run(*command: str, what: str, remedy: str) -> None:
    """Run a command of the installation of `what`; raises `OperatorError`, which ends with the `remedy`."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise OperatorError(f"{what} could not be installed ({lines[-1].strip()}): {remedy}")
