"""How far a replay has got: the first event that Kafka has not acknowledged, kept in a file so that it can go on.

What lies behind the position is in Kafka. What lies after it may be there too (a crash loses the newest
acknowledgements), is sent again, and is dropped downstream by its messageId and order_id.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.errors import OperatorError


class Acknowledged:
    """The end of the unbroken run of acknowledged numbers, whatever the order in which they come.

    >>> run = Acknowledged(5)
    >>> run.add(6); run.position
    5
    >>> run.add(5); run.position
    7
    """

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self._ahead: set[int] = set()

    def add(self, number: int) -> None:
        """Event `number` is acknowledged."""
        self._ahead.add(number)
        while self.position in self._ahead:
            self._ahead.remove(self.position)
            self.position += 1


class Saved(Struct, frozen=True):
    """A position and the cluster and prefix it is true of: another Kafka holds nothing of this replay."""

    cluster: str
    prefix: str
    position: int


def path_of(data_dir: Path, source: str) -> Path:
    """The file of a source's position."""
    return data_dir / "replay" / f"{source}.json"


def load(path: Path, cluster: str, prefix: str) -> int:
    """The saved position, 0 when there is none for this cluster and prefix."""
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=Saved)
    except FileNotFoundError:
        return 0
    except msgspec.DecodeError as error:
        raise OperatorError(f"{path} is damaged ({error}); delete it, and the replay begins anew") from error
    return saved.position if (saved.cluster, saved.prefix) == (cluster, prefix) else 0


def save(path: Path, cluster: str, prefix: str, position: int) -> None:
    """Replace the file in one step, so that a crash leaves the old or the new position."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(Saved(cluster, prefix, position)))
    os.replace(new, path)
