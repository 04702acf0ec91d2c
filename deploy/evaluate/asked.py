"""What a measurement was asked: the options of `footfall evaluate` that its modules share."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Asked:
    """The task, where its data is, where to write plots (None: nowhere), and how loud to be.

    `source` is completejourney, taobao, diginetica or a file's path; `path` the file of a named source that needs one.
    `limit` bounds the cases (None: all).
    """

    task: str
    source: str
    path: Path | None = None
    plots: Path | None = None
    limit: int | None = None
    seed: int = 7
    quiet: bool = False
