"""Outcomes, as the score stage reads them: what customers want to hear no more of changes what they are told."""

import logging
from typing import Final

import msgspec

from online.said import SUBSCRIBED, UNSUBSCRIBED
from schemas.outputs import Outcome
from schemas.topics import OUTCOMES
from stream import metrics
from stream.kafka.partitioner import home
from stream.kafka.record import Record
from stream.kafka.state import Out

log = logging.getLogger("footfall.outcomes")
_outcomes = msgspec.json.Decoder(Outcome)
# Words that are counted by themselves; a retention system may have others.
KNOWN: Final = frozenset({"delivered", "opened", "clicked", "converted", "failed", UNSUBSCRIBED, SUBSCRIBED})


def read(record: Record, number: int, partitions: int, out: Out) -> Outcome | None:
    """The outcome of a record, or None: where it cannot be read, it is logged, counted, and stays on its topic.

    One that another partitioner has put here is sent on to its customer's partition `number`, where she is decided on.
    """
    if record.value is None:
        return None
    try:
        outcome = _outcomes.decode(record.value)
        outcome.customer.encode()
    except (msgspec.DecodeError, UnicodeError) as error:
        metrics.OUTCOMES_UNREADABLE.inc()
        log.warning("the outcome at offset %s of partition %d is left out: %s", record.offset, number, error)
        return None
    own = home(outcome.customer, partitions)
    if own != number:
        out(OUTCOMES.name, outcome.customer.encode(), record.value, own)
        metrics.REROUTED.inc()
        return None
    metrics.OUTCOMES.labels(outcome.what if outcome.what in KNOWN else "other").inc()
    return outcome
