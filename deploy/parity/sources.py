"""What can be checked: a log as the engine gets it, and the same log as the oracle reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from deploy.parity.raw import completejourney, segment, taobao
from deploy.parity.simulated import simulated
from schemas.errors import OperatorError
from stream.settings import Settings
from stream.sources.catalogue import open_source
from stream.sources.event import SourceEvent
from stream.sources.files import find

NAMES = ("completejourney", "taobao", "simulated")
PREFIXES = {completejourney.NAME: completejourney.PREFIX, taobao.NAME: taobao.PREFIX}


class Log(NamedTuple):
    """`values` are the events' bytes for the engine, `read` gives the oracle's tidy frame, in the same order."""

    values: Callable[[], Iterator[bytes]]
    read: Callable[[], pl.DataFrame]


def open_log(source: str, path: Path | None, limit: int | None, currency: str) -> Log:
    """A source by its name, up to `limit` events. Raises `OperatorError`."""
    if source == "simulated":
        events = simulated(limit)
        records = [segment.Record(0, n, event.value, event.at) for n, event in enumerate(events)]
        return Log(lambda: _values(iter(events)), lambda: segment.read(records, currency, 0))
    if source not in NAMES:
        raise OperatorError(f"--source {source}: there are {', '.join(NAMES)}")
    opened = open_source(source, path)
    return Log(lambda: _values(opened.events(limit)), lambda: read_raw(source, path, limit, currency))


def read_raw(source: str, path: Path | None, limit: int | None, currency: str) -> pl.DataFrame:
    """The tidy frame of a source that is a file."""
    if source == taobao.NAME:
        return taobao.read(find("taobao", path, Settings().source_dirs), currency, limit)
    return completejourney.read(limit)


def _values(events: Iterator[SourceEvent]) -> Iterator[bytes]:
    return (event.value for event in events)
