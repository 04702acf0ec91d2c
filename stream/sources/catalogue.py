"""The sources by the names under which the command line knows them."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from schemas.errors import OperatorError
from stream.sources.event import SourceEvent
from stream.sources.files import find


class Events(Protocol):
    """A source's events, from number `start` up to number `limit`, exclusive."""

    def __call__(self, limit: int | None = None, start: int = 0) -> Iterator[SourceEvent]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """A log that can be replayed; `name` tells its saved position from others'."""

    name: str
    events: Events
    count: Callable[[], int]


def open_source(what: str, path: Path | None = None) -> Source:
    """`completejourney`, `taobao` with its file, or the path of a JSON Lines file. Raises `OperatorError`."""
    if what == "completejourney":
        from stream.sources import completejourney

        return Source(completejourney.NAME, completejourney.events, completejourney.count)
    if what == "taobao":
        from stream.settings import Settings
        from stream.sources import taobao

        found = find("taobao", path, Settings().source_dirs)
        return Source(taobao.NAME, partial(taobao.events, found), partial(taobao.count, found))
    from stream.sources import jsonl

    log = Path(what)
    if not log.name.endswith((".jsonl", ".jsonl.gz")):
        raise OperatorError(f"{what} is no source; there are completejourney, taobao FILE.csv and FILE.jsonl[.gz]")
    _must_exist(log)
    digest = hashlib.blake2b(str(log.resolve()).encode(), digest_size=4).hexdigest()
    name = f"{log.name.split('.')[0]}-{digest}"
    return Source(name, partial(jsonl.events, log), partial(jsonl.count, log))


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise OperatorError(f"there is no file {path}")
