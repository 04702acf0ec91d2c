"""Real stories to score: what the stream would send to BERT for some households of Complete Journey, over a year."""

from collections.abc import Callable, Iterator

from inference.model import Model
from schemas.decode import decode
from schemas.hashing import hash64
from schemas.outputs import Snapshot
from stream.features.engine import Config, Engine
from stream.sources.catalogue import open_source

# One household in so many: about 5,000 of the 155,848 baskets.
ONE_IN = 32


def stories(model: Model, count: int, read: Callable[[int], None]) -> list[str]:
    """At most `count` texts, evenly out of a year's snapshots in order of time; `read` is told how many events were."""
    texts = [model.text(snapshot) for snapshot in _snapshots(read)]
    step = max(1, len(texts) // count)
    return texts[len(texts) % step :: step][-count:]


def _snapshots(read: Callable[[int], None]) -> Iterator[Snapshot]:
    engine = Engine(Config())
    for offset, told in enumerate(open_source("completejourney").events()):
        read(1)
        if told.key is None or hash64(told.key.decode()) % ONE_IN:
            continue
        event = decode(told.value, "USD")
        for record in engine.apply(event, 0, offset, event.at):
            if isinstance(record, Snapshot):
                yield record
