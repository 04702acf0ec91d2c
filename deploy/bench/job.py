"""What a contender's process is told, and what it says: when its first record came, and when its last was done."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

FIRST, LAST = "first", "last"


@dataclass(frozen=True, slots=True)
class Job:
    """Read `clickstream` and `orders` behind `prefix`, `total` records in all, as consumer group `group`.

    `outputs` says whether snapshots and interactions are written as well; `folder` is the process's own. With
    `profile_to`, what the process did between its first and its last record is written there as cProfile statistics.
    Nothing is processed before the file `gate` is there, where one is named; `flush_s` is the time between two commits.
    """

    brokers: str
    prefix: str
    group: str
    total: int
    partitions: int
    outputs: bool
    folder: str
    profile_to: str = ""
    gate: str = ""
    flush_s: float = 1.0

    def argument(self) -> str:
        """The job as one argument on the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def given(cls) -> "Job":
        """The job that this process was started with."""
        return cls(**json.loads(sys.argv[1]))

    def topic(self, name: str) -> str:
        """A topic's name on the broker."""
        return self.prefix + name

    def output(self, name: str) -> str:
        """The topic that the others write to instead of one of ours."""
        return f"{self.prefix}outputs-{name}"


class Marks:
    """Counts records, and says on stdout when the first one came and when the last one was done.

    The times are the machine's monotonic clock, which the process that measures reads as well. `start` is called at
    the first; `finish` after the last: it asks the engine for the commit that its interval would otherwise bring up
    to three seconds later.
    """

    def __init__(self, total: int, finish: Callable[[], None], start: Callable[[], object] | None = None) -> None:
        self._left = total
        self._finish = finish
        self._start = start
        self._begun = False

    def begin(self) -> None:
        """A record, or a run of them, is about to be processed."""
        if not self._begun:
            self._begun = True
            say(FIRST)
            if self._start is not None:
                self._start()

    def done(self, count: int = 1) -> None:
        """So many records were processed."""
        self._left -= count
        if self._left == 0:
            say(LAST)
            self._finish()


def say(mark: str) -> None:
    """One mark, with the time and the processor time that this process has used, as a line of JSON."""
    print(json.dumps({"mark": mark, "at": time.monotonic(), "cpu": time.process_time()}), flush=True)
