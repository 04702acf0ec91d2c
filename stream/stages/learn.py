"""learn: examples in; versions of the online model out. One partition, so one owner that learns each example once."""

import logging
import time
from collections.abc import Callable, Iterator

import msgspec

from online.learner import LEARNED
from online.once import Once
from online.prior import Prior, read
from online.state import Learner
from schemas.outputs import Example, ModelSnapshot, encode
from schemas.topics import EXAMPLES, MODELS
from stream import metrics
from stream.kafka.stage import Stage
from stream.kafka.state import Out
from stream.kafka.transport import Run
from stream.settings import Settings

log = logging.getLogger("footfall.learn")
_examples = msgspec.json.Decoder(Example)
_models = msgspec.json.Decoder(ModelSnapshot)


def stage(settings: Settings) -> Stage:
    """The learn stage."""
    prior = read(settings.prior)
    return Stage(settings, "learn", (EXAMPLES,), MODELS, lambda _number: LearnPartition(prior), run_records=500)


class LearnPartition:
    """The online model. A published version says which examples it holds, so none is learned twice after a crash.

    The version is the store's record: it is written at a barrier, before the examples in it are acknowledged. What the
    label stage said again after a crash of its own is known by its id. An example that cannot be read, or of a target
    that the model does not have, is counted and left out: it would come again for ever. A version that this one cannot
    read (an older format's) is told of, and learning begins anew behind the examples that it holds: to learn these
    again, the group's offsets on `examples` must be set back.
    """

    def __init__(self, prior: Prior | None = None, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._prior = prior
        self._learner = Learner(prior)
        self._once = Once()
        self._offset = 0
        self._published = 0

    def restore(self, key: bytes, value: bytes | None) -> None:
        """The newest version published, or which examples one of the newest learned."""
        if value is None:
            return
        snapshot = _models.decode(value)
        if Once.wrote(key.decode()):
            self._once.restore(snapshot)
            return
        self._offset = self._published = snapshot.offset
        try:
            self._learner = Learner.restore(snapshot)
        except ValueError as error:
            log.error("version %s cannot be read (%s): learning begins anew", snapshot.version, error)
            self._learner = Learner(self._prior)

    async def process(self, run: Run, out: Out) -> None:  # noqa: ARG002
        """Learn what is new in the run."""
        if self._offset == self._published:
            self._once.forget_after(self._published)
        for record in run.records:
            if record.offset >= self._offset:
                # One without a value takes back an erased customer's; what it taught names nobody.
                if record.value is not None:
                    self._learn(record.value)
                self._offset = record.offset + 1

    def _learn(self, raw: bytes) -> None:
        try:
            example = _examples.decode(raw)
        except msgspec.DecodeError as error:
            log.error("an example is left out: %s", error)
            metrics.UNLEARNED.labels("unreadable").inc()
            return
        if example.id in self._once:
            metrics.UNLEARNED.labels("repeated").inc()
        elif example.target not in LEARNED:
            metrics.UNLEARNED.labels("unknown target").inc()
        else:
            self._learner.learn_one(example)
            self._once.add(example.id)

    def durable(self, out: Out) -> None:
        """Nothing waits for the version that was published."""

    def tick(self, now: int, out: Out) -> None:
        """The clock teaches nothing."""

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A new version, if anything was learned since the last; before it, which examples are new in it."""
        if self._offset > self._published:
            at = int(self._now() * 1000)
            self._published = self._offset
            new, snapshot = self._once.snapshot(self._offset, at), self._learner.snapshot(self._offset, at)
            if new is not None:
                yield new.name.encode(), encode(new)
            yield snapshot.name.encode(), encode(snapshot)
            _measure(snapshot.metrics)


def _measure(found: dict[str, float]) -> None:
    for name, value in found.items():
        target, *rest = name.split(".")
        if rest == ["learned"]:
            metrics.LEARNED.labels(target).set(value)
        elif rest == ["drift"]:
            metrics.DRIFT.labels(target).set(value)
        elif rest in (["swaps"], ["rolled_back"]):
            metrics.SWAPS.labels(target, rest[0]).set(value)
        else:
            source, metric = rest if len(rest) == 2 else ("served", rest[0])
            metrics.QUALITY.labels(target, source, metric).set(value)
