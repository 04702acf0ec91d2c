"""How a partition's state begins: what the store holds of it, if that is still whole, and what was said since."""

import logging
from collections.abc import Sequence

from stream import metrics
from stream.kafka.restore import read_partition
from stream.kafka.state import Applying, PartitionState, Recalling
from stream.kafka.store import check_inputs, check_store

log = logging.getLogger("footfall.stage")


def begin(
    state: PartitionState, number: int, brokers: str, stage: str, group: str, store: str, whole: Sequence[str]
) -> int:
    """Give the state its records of the topic `store`; returns how many there were. Blocks.

    `whole` are the inputs of which the store holds whatever was read. Raises `StoreBroken` and `MadeAnew`.
    """
    if said := check_store(brokers, store, number, group, whole):
        metrics.INCOMPLETE.labels(stage, number).set(1)
        log.warning("%s: %s", stage, said)
    count = read_partition(brokers, store, number, state.restore)
    if isinstance(state, Applying):
        check_inputs(brokers, number, state.applied())
    if isinstance(state, Recalling):
        state.recall()
    return count
