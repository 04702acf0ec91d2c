"""The two loops that every record passes: it is read, and later applied. What is seldom is left to the caller."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from schemas.decode import decode
from schemas.errors import Rejected
from schemas.event import Event
from stream.features.arrival import Arrival
from stream.features.engine import Engine, Record

A = TypeVar("A", bound=Arrival)


def read(
    records: Sequence[A],
    engine: Engine,
    is_home: Callable[[str], bool],
    refuse: Callable[[A, Rejected], None],
    reroute: Callable[[A, str], None],
) -> tuple[list[int], list[int], list[tuple[A, Event]]]:
    """When each event of `records` happened, when it arrived, and it itself.

    Whoever has a profile here lives here; of others `is_home` tells, and what is not at home is for `reroute`.
    """
    currency, profiles = engine.config.currency, engine.profiles
    times: list[int] = []
    arrivals: list[int] = []
    events: list[tuple[A, Event]] = []
    for record in records:
        arrived = record.timestamp
        try:
            event = decode(record.value, currency)
            at = event.at
            if at > arrived:
                at = engine.time(at, arrived)
        except Rejected as rejected:
            refuse(record, rejected)
            continue
        customer = event.customer
        if customer in profiles or is_home(customer):
            times.append(at)
            arrivals.append(arrived)
            events.append((record, event))
        else:
            reroute(record, customer)
    return times, arrivals, events


def apply(
    batch: Sequence[tuple[A, Event]],
    engine: Engine,
    source: int,
    counts: list[int],
    stitch: Callable[[A, Event], bool],
    send: Callable[[list[Record]], None],
    refuse: Callable[[A, Rejected], None],
) -> None:
    """Apply events of input topic `source` and `send` what comes of each; `counts` counts them by behaviour.

    An event without a userId, or with both ids, is for `stitch` first, which may have done all there is to do.
    """
    for record, event in batch:
        try:
            if (not event.known or event.anonymous) and stitch(record, event):
                continue
            told = engine.apply(event, source, record.offset, record.timestamp)
            counts[event.behaviour] += 1
            if told:
                send(told)
        except Rejected as rejected:
            refuse(record, rejected)
