"""Segment events as they stand on the topics, as tidy events. What an event's bytes mean is `schemas.decode`'s word."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import polars as pl

from deploy.parity.raw.tidy import SCHEMA, most_frequent, tidy
from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.errors import Rejected
from schemas.event import Event

_PHONES = ("mobile", "phone", "ios", "android")
_CHANGES = (Behaviour.ORDER, Behaviour.ORDER_UPDATE, Behaviour.CANCEL, Behaviour.REFUND)


class Record(NamedTuple):
    """One record of an input topic: 0 is the clickstream, 1 orders; `arrived` is epoch ms."""

    topic: int
    offset: int
    value: bytes
    arrived: int


def read(records: Iterable[Record], currency: str, ahead_ms: int) -> pl.DataFrame:
    """The records that are events and lie at most `ahead_ms` ahead of their arrival, in the order given."""
    accepted = list(_accepted(records, currency, ahead_ms))
    events = pl.DataFrame(
        [_row(n, record, event) for n, (record, event) in enumerate(accepted)],
        schema={name: SCHEMA[name] for name in SCHEMA if name not in ("category", "brand")},
        orient="row",
    )
    lines = pl.LazyFrame(
        [(n, line.category, line.brand) for n, (_, event) in enumerate(accepted) for line in event.lines],
        schema={"n": pl.Int64, "category": pl.String, "brand": pl.String},
        orient="row",
    )
    for name in ("category", "brand"):
        events = events.join(most_frequent(lines, "n", name).collect(), on="n", how="left", maintain_order="left")
    return tidy(events)


def _accepted(records: Iterable[Record], currency: str, ahead_ms: int) -> Iterator[tuple[Record, Event]]:
    for record in records:
        try:
            event = decode(record.value, currency)
        except Rejected:
            continue  # A dead letter: no feature knows of it.
        if event.at <= record.arrived + ahead_ms:
            yield record, event


def _row(n: int, record: Record, event: Event) -> tuple[object, ...]:
    first = event.lines[0] if event.lines else None
    return (
        n,
        record.topic,
        record.offset,
        event.customer,
        event.at,
        event.message,
        int(event.behaviour),
        event.order if event.behaviour in _CHANGES else None,
        event.amount,
        event.discount,
        event.currency,
        first.item if first else None,
        sum(line.quantity for line in event.lines),
        first.price if first else None,
        event.rating,
        event.device in _PHONES,
        bool(event.channel),
    )
