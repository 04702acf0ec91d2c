"""What a stage does with a record that it cannot use: it is kept as a dead letter, and counted."""

import time

from faust.types import TP

from schemas.errors import Rejected
from schemas.topics import DEAD_LETTERS
from stream import metrics
from stream.kafka import dead_letters
from stream.kafka.dead_letters import Origin
from stream.kafka.record import Record
from stream.kafka.state import Out


def refuse(tp: TP, record: Record, rejected: Rejected, out: Out) -> None:
    """Send a record of a partition to dead letters, as it came, with why it was refused."""
    key, value, headers = dead_letters.write(
        Origin(tp.topic, tp.partition, record.offset), record, rejected, int(time.time() * 1000)
    )
    out(DEAD_LETTERS.name, key, value, headers=headers)
    metrics.REJECTED.labels(rejected.reason).inc()
