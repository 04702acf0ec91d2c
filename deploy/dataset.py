"""Example files made from what a shop has: a log of events, labelled reviews, or the examples of an installation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from schemas.errors import OperatorError, Rejected

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress

    from schemas.event import Event
    from schemas.outputs import Example
    from stream.settings import Settings
    from stream.sources.catalogue import Source

TOPIC: Final = "examples"


@dataclass(frozen=True, slots=True)
class Shape:
    """Days between cut-offs, before the first one, and that each label looks ahead (None: as the settings say)."""

    every: float = 10.0
    warm_up: float = 35.0
    churn: float | None = None
    intent: float | None = None
    value: float | None = None

    def horizons(self, settings: "Settings") -> dict[str, float]:
        """Days by label."""
        return {
            "churn": self.churn or settings.churn_days,
            "intent": self.intent or settings.intent_days,
            "value": self.value or settings.value_days,
        }


# Nine days of a shop where most buy within a day or not at all.
SHAPES: Final = {"taobao": Shape(every=0.5, warm_up=2.0, intent=1.0)}


def make(
    source: str, path: Path | None, shape: Shape | None, settings: "Settings", progress: "Progress"
) -> "pl.DataFrame":
    """The examples of a source; raises `OperatorError` when it has none.

    `source` is completejourney, taobao or FILE.jsonl[.gz] (events), shopping-reviews, delivery-reviews or FILE.csv
    (reviews), or `examples`: the topic of the installation that the settings name.
    """
    from stream.dataset import served, table
    from stream.sources.reviews import NAMES

    if source == TOPIC:
        made = table(served(_learned(settings, progress)))
    elif source in NAMES or source.endswith((".csv", ".zip")):
        made = _reviews(source, path, settings)
    else:
        made = _replayed(source, path, shape or SHAPES.get(source, Shape()), settings, progress)
    if not made.height:
        raise OperatorError(f"{source} gives no example: it is too short, or nothing has matured yet")
    return made


def _replayed(
    source: str, path: Path | None, shape: Shape, settings: "Settings", progress: "Progress"
) -> "pl.DataFrame":
    from stream.sources.catalogue import open_source

    return labelled(_events(open_source(source, path), settings.currency, progress), shape, settings)


def labelled(events: "Iterable[Event]", shape: Shape, settings: "Settings") -> "pl.DataFrame":
    """The examples of these events, which are in order of time."""
    from schemas.features import DAY_MS
    from stream.dataset import Horizons, examples, table
    from stream.features.engine import Config

    horizons = Horizons(**{name: round(days * DAY_MS) for name, days in shape.horizons(settings).items()})
    every, warm_up = round(shape.every * DAY_MS), round(shape.warm_up * DAY_MS)
    return table(examples(events, horizons, Config(currency=settings.currency), every, warm_up))


def _events(source: "Source", currency: str, progress: "Progress") -> "Iterator[Event]":
    from schemas.decode import decode

    rejected = 0
    task = progress.add_task("replaying", total=source.count(), words="")
    for told in source.events():
        progress.advance(task)
        try:
            yield decode(told.value, currency)
        except Rejected:
            # A broken line trains nobody; live, it would be a dead letter.
            rejected += 1
            progress.update(task, words=f"{rejected} rejected")


def _reviews(source: str, path: Path | None, settings: "Settings") -> "pl.DataFrame":
    import polars as pl

    from stream.dataset import SCHEMA
    from stream.sources.files import find
    from stream.sources.reviews import NAMES, read

    file = find(source, path, settings.source_dirs) if source in NAMES else Path(source)
    reviews = read(file).with_row_index("number")
    known = {
        "id": pl.format("{}-{}", pl.lit(file.stem), "number"),
        "customer": pl.lit(""),
        "at": pl.lit(0, pl.Int64),
        "text": pl.col("text"),
        "sentiment": pl.col("sentiment"),
    }
    return reviews.select(known.get(name, pl.lit(None, kind)).alias(name) for name, kind in SCHEMA.items())


def _learned(settings: "Settings", progress: "Progress") -> "Iterator[Example]":
    import msgspec

    from schemas.outputs import Example
    from schemas.topics import EXAMPLES
    from stream.kafka.admin import partitions_of
    from stream.kafka.restore import messages

    decode = msgspec.json.Decoder(Example).decode
    task = progress.add_task("reading the topic", total=None, words="")
    for partition in range(partitions_of(EXAMPLES, settings)):
        for message in messages(settings.kafka_brokers, settings.topic(EXAMPLES.name), partition):
            progress.advance(task)
            if message.value() is not None:
                yield decode(message.value())
