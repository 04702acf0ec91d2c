"""learn: examples in; versions of the online model out. One partition, so one owner that learns each example once."""

import time
from collections.abc import Callable, Iterator

import msgspec

from online.state import Learner
from schemas.outputs import Example, ModelSnapshot, encode
from schemas.topics import EXAMPLES, MODELS
from stream import metrics
from stream.kafka.stage import Stage
from stream.kafka.state import Out
from stream.kafka.transport import Run
from stream.settings import Settings

_examples = msgspec.json.Decoder(Example)
_models = msgspec.json.Decoder(ModelSnapshot)


def stage(settings: Settings) -> Stage:
    """The learn stage."""
    return Stage(settings, "learn", (EXAMPLES,), MODELS, lambda _number: LearnPartition(), run_records=500)


class LearnPartition:
    """The online model. A published version says which examples it holds, so none is learned twice after a crash.

    The version is the store's record: it is written at a barrier, before the examples in it are acknowledged.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._learner = Learner()
        self._offset = 0
        self._published = 0

    def restore(self, key: bytes, value: bytes | None) -> None:  # noqa: ARG002
        """The newest version published."""
        if value is not None:
            snapshot = _models.decode(value)
            self._learner = Learner.restore(snapshot)
            self._offset = self._published = snapshot.offset

    async def process(self, run: Run, out: Out) -> None:  # noqa: ARG002
        """Learn what is new in the run."""
        for record in run.records:
            if record.offset >= self._offset:
                # One without a value takes back an erased customer's; what it taught names nobody.
                if record.value is not None:
                    self._learner.learn_one(_examples.decode(record.value))
                self._offset = record.offset + 1

    def durable(self, out: Out) -> None:
        """Nothing waits for the version that was published."""

    def tick(self, now: int, out: Out) -> None:
        """The clock teaches nothing."""

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A new version, if anything was learned since the last."""
        if self._offset > self._published:
            snapshot = self._learner.snapshot(self._offset, int(self._now() * 1000))
            self._published = self._offset
            _measure(snapshot.metrics)
            yield snapshot.name.encode(), encode(snapshot)


def _measure(found: dict[str, float]) -> None:
    for name, value in found.items():
        target, *rest = name.split(".")
        if rest == ["learned"]:
            metrics.LEARNED.labels(target).set(value)
        elif rest == ["drift"]:
            metrics.DRIFT.labels(target).set(value)
        else:
            source, metric = rest if len(rest) == 2 else ("served", rest[0])
            metrics.QUALITY.labels(target, source, metric).set(value)
