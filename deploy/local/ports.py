"""Ports on this machine: free ones, and clear words for those that are taken."""

import contextlib
import random
import shutil
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psutil

from schemas.errors import OperatorError

LOOPBACK = "127.0.0.1"
LEAST_FREE_BYTES = 1 << 30
FREE_PORTS = range(15_000, 32_000)
# Given away by this process: whoever asked for one may not listen on it yet.
_given: set[int] = set()


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a part listens on, and the setting that moves it."""

    number: int
    setting: str
    host: str = LOOPBACK

    def check(self) -> None:
        """Raise OperatorError where another program listens there already."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.number))
            except OSError as error:
                raise OperatorError(
                    f"port {self.number} on {self.host} is taken{_holder(self.number)} ({error.strerror}): "
                    f"stop what listens there, or set FOOTFALL_{self.setting.upper()} to another port"
                ) from error


def _holder(number: int) -> str:
    """Who listens on a port, as far as this user may see it: ` by java (process 123)`, or nothing."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == number and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""


def free_port(count: int = 1, besides: Collection[int] = ()) -> int:
    """The first of `count` neighbouring ports that were free a moment ago, none of them given before or in `besides`.

    Below the range from which systems take the ports of outgoing connections, so that none of these comes in between.
    """
    for first in random.SystemRandom().sample(FREE_PORTS, min(200, len(FREE_PORTS))):
        ports = range(first, first + count)
        if all(port not in _given and port not in besides and _bindable(port) for port in ports):
            _given.update(ports)
            return first
    raise OperatorError("no free port found on this machine: end some of the programs that listen")


def _bindable(number: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
        except OSError:
            return False
    return True


def accepts(address: str, timeout_s: float = 1.0) -> bool:
    """Whether something accepts connections at `host:port`."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout_s).close()
    except (OSError, ValueError):
        return False
    return True


def check_disk(path: Path) -> None:
    """Raise OperatorError where the folder cannot be written, or less than 1 GiB is free under it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path).free
    except OSError as error:
        raise OperatorError(
            f"cannot use {path} ({error.strerror}): set FOOTFALL_DATA_DIR to a folder to write"
        ) from error
    if free < LEAST_FREE_BYTES:
        raise OperatorError(
            f"only {free >> 20} MiB are free for {path}, and the broker needs 1024: make room, or set FOOTFALL_DATA_DIR"
        )
