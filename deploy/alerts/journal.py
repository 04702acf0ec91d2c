"""A file of alerts, one JSON a line, that is also the memory of what was written: each alert is in it once."""

import os
from pathlib import Path
from typing import Final

import msgspec

from deploy.alerts.seen import MEMORY, Seen
from schemas.errors import OperatorError
from schemas.outputs import Alert, encode

# The longest part of the file that is read back; an alert is about 1.5 kB.
TAIL: Final = 32 * 1024 * 1024
_BEGINNING: Final = b'{"decision_id":'


class Journal:
    """Appends alerts and makes them durable; opened again after a crash it knows its newest, and cuts half a line off.

    An alert is written first and Kafka's offset committed after, so none is lost; one that was written and not
    committed comes again and is found here, so none is there twice.
    """

    def __init__(self, path: Path, seen: Seen) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            self._recall(seen)
        except BaseException:
            self._file.close()
            raise

    def _recall(self, seen: Seen) -> None:
        """Remember the newest alerts of the file, and cut off half a line at its end."""
        file = self._file
        end = file.seek(0, os.SEEK_END)
        start = max(0, end - TAIL)
        file.seek(start)
        tail = file.read()
        # Where the file is longer than what was read, what was read begins within a line.
        begin = 0 if start == 0 else tail.find(b"\n") + 1
        whole = tail.rfind(b"\n") + 1
        for line in tail[begin:whole].splitlines()[-MEMORY:]:
            seen.add(self._id(line))
        if whole < len(tail):
            if not tail[whole:].startswith(_BEGINNING[: len(tail) - whole]):
                raise self._foreign("its end is no alert's beginning")
            file.truncate(start + whole)

    def _id(self, line: bytes) -> str:
        try:
            return msgspec.json.decode(line, type=Alert).decision_id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._foreign(str(error)) from error

    def _foreign(self, why: str) -> OperatorError:
        return OperatorError(f"{self._path} is no file of alerts ({why}): name another")

    def write(self, alerts: list[Alert]) -> None:
        """Append them; once this returns they are on the disk."""
        if alerts:
            self._file.write(b"".join(encode(alert) + b"\n" for alert in alerts))
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
