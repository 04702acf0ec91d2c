"""`state.json` in the data folder: what runs, where, as which process; and the lock that lets only one stack run."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from schemas.errors import OperatorError

CLEAN_UP_S = 20.0


@dataclass(slots=True)
class PartState:
    """One part as it is now; `state` is starting, ready, stopped or failed."""

    address: str
    state: str
    pid: int | None = None
    restarts: int = 0
    log: str | None = None


@dataclass(slots=True)
class StackState:
    """The whole stack."""

    id: str
    pid: int
    kafka_brokers: str
    triton_url: str
    topic_prefix: str
    parts: dict[str, PartState] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Replace the file in one step, so that a reader never sees half of it."""
        new = folder / "state.json.new"
        new.write_text(json.dumps(asdict(self), indent=1) + "\n")
        new.replace(folder / "state.json")


def read(folder: Path) -> StackState | None:
    """What was written last, by a stack that may have ended since; None where there is nothing."""
    try:
        raw = json.loads((folder / "state.json").read_text())
        return StackState(**{**raw, "parts": {name: PartState(**part) for name, part in raw["parts"].items()}})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def lock(folder: Path) -> int:
    """Take the data folder for one stack: a file descriptor that holds the lock until the last copy of it is closed.

    The kernel gives it back however the holders end. Where the last supervisor was killed, its reaper still holds it
    for the seconds that it needs; otherwise OperatorError.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + CLEAN_UP_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = read(folder)
            running = state is not None and psutil.pid_exists(state.pid)
            if not running and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            os.close(descriptor)
            who = f" (process {state.pid})" if state else ""
            raise OperatorError(
                f"a stack runs already on {folder}{who}: stop it with Ctrl-C, or set FOOTFALL_DATA_DIR to another"
            ) from None
        return descriptor
