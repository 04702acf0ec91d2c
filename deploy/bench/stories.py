"""Real stories to score: what the stream would send to BERT for some households of Complete Journey."""

from collections.abc import Callable, Iterator

from inference.model import Model
from schemas.decode import decode
from schemas.hashing import hash64
from schemas.outputs import Snapshot
from stream.features.engine import Config, Engine
from stream.sources.catalogue import open_source

# One household in so many, so that they have a past without the engine having to live through everybody's.
ONE_IN = 8


def stories(model: Model, count: int, events: int, read: Callable[[int], None]) -> list[str]:
    """At most `count` texts, evenly out of the snapshots of the first `events` baskets; `read` hears of each basket."""
    texts = [model.text(snapshot) for snapshot in _snapshots(events, read)]
    step = max(1, len(texts) // count)
    return texts[len(texts) % step :: step][-count:]


def _snapshots(events: int, read: Callable[[int], None]) -> Iterator[Snapshot]:
    engine = Engine(Config())
    for offset, told in enumerate(open_source("completejourney").events(events)):
        read(1)
        if told.key is None or hash64(told.key.decode()) % ONE_IN:
            continue
        event = decode(told.value, "USD")
        for record in engine.apply(event, 0, offset, event.at):
            if isinstance(record, Snapshot):
                yield record
