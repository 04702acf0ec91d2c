"""The last one out: a small process that outlives the supervisor and ends what a `kill -9` of it would leave behind.

It holds the read end of a pipe whose only writer is the supervisor. When that closes, whatever the cause, every
process marked with the stack's id gets TERM, then KILL, and the stack's shared-memory files are removed. It inherits
the lock on the data folder too, so that a next stack waits until this is done.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

STACK_ID = "FOOTFALL_STACK_ID"
"""Marks, in their environment, the processes of one stack."""
GRACE_S = 8.0
SHARED_MEMORY = Path("/dev/shm")


def shared_memory_prefix(stack_id: str) -> str:
    """What the names of a stack's shared-memory files begin with."""
    return f"footfall-{stack_id}-"


def remove_shared_memory(stack_id: str) -> None:
    """Remove a stack's shared-memory files; only once the processes that use them are gone."""
    for path in SHARED_MEMORY.glob(shared_memory_prefix(stack_id) + "*"):
        path.unlink(missing_ok=True)


def members(stack_id: str) -> Iterator[psutil.Process]:
    """The running processes that carry the stack's id in their environment."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(STACK_ID) == stack_id and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (psutil.Error, OSError):
            continue


def reap(stack_id: str, grace_s: float = GRACE_S) -> None:
    """End every member, TERM first, and remove the shared memory; returns when nothing is left."""
    found = list(members(stack_id))
    for process in found:
        _end(process, kill=False)
    psutil.wait_procs(found, timeout=grace_s)
    while found := list(members(stack_id)):
        for process in found:
            _end(process, kill=True)
        psutil.wait_procs(found, timeout=1.0)
    remove_shared_memory(stack_id)


def _end(process: psutil.Process, *, kill: bool) -> None:
    """Signal a process that may have ended by itself a moment before."""
    with contextlib.suppress(psutil.NoSuchProcess):
        (process.kill if kill else process.terminate)()


if __name__ == "__main__":
    sys.stdin.buffer.read()
    reap(sys.argv[1])
