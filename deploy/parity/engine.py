"""The engine's answers: a log replayed through `stream.features.engine`, as a worker would, and asked at cut-offs."""

from collections.abc import Callable, Iterable, Iterator

import polars as pl

from deploy.parity.cutoffs import Cutoff
from schemas.decode import decode
from schemas.features import NAMES
from stream.features.engine import Config, Engine
from stream.features.vector import features_at

FLUSH_EVERY = 2_000
_SCHEMA: dict[str, type[pl.DataType]] = {"customer": pl.String, **dict.fromkeys(NAMES, pl.Float64)}


def answers(
    values: Iterable[bytes], cutoffs: list[Cutoff], config: Config, advance: Callable[[], None]
) -> Iterator[pl.DataFrame]:
    """For each cut-off a frame of `customer` and every feature; `advance` is called for each event.

    Every event must be valid, and arrives when the newest event so far says that it is. Profiles are flushed, and with
    that pruned, every so often: what a worker forgets must not be missed by any feature.
    """
    engine = Engine(config)
    waiting = list(cutoffs)
    for offset, value in enumerate(values):
        while waiting and waiting[0].known <= offset:
            yield _ask(engine, waiting.pop(0).now)
        event = decode(value, config.currency)
        engine.apply(event, 0, offset, max(engine.clock, event.at))
        if offset % FLUSH_EVERY == FLUSH_EVERY - 1:
            _flush(engine)
        advance()
    while waiting:
        yield _ask(engine, waiting.pop(0).now)


def _ask(engine: Engine, now: int) -> pl.DataFrame:
    _flush(engine)
    config = engine.config
    rows = [
        (customer, *map(features_at(profile, now, config.currency, config.delays.session_gap).__getitem__, NAMES))
        for customer, profile in engine.profiles.items()
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row", strict=False)


def _flush(engine: Engine) -> None:
    for _ in engine.flush():
        pass
