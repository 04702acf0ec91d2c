"""What a stage does with a record that it cannot use: it is kept as a dead letter, and counted."""

import time
from typing import Any

from schemas.errors import Rejected
from schemas.topics import DEAD_LETTERS
from stream import metrics
from stream.kafka import dead_letters
from stream.kafka.state import Out


def refuse(record: Any, rejected: Rejected, out: Out) -> None:
    """Send the record to dead letters, as it came, with why it was refused."""
    key, value, headers = dead_letters.write(record, rejected, int(time.time() * 1000))
    out(DEAD_LETTERS.name, key, value, headers=headers)
    metrics.REJECTED.labels(rejected.reason).inc()
