"""What alerts change, out of the `decisions` topic: the newest record of every customer."""

from collections.abc import Collection
from typing import Any

from online.alerts import KINDS
from online.said import MONITOR, Said, decode_said
from online.uplift import effect
from schemas.topics import DECISIONS
from stream.kafka.restore import read_partition
from stream.settings import Settings


def read(settings: Settings) -> dict[str, dict[str, Any]]:
    """`effects` of all the customers in the topic as it stands."""
    said: dict[bytes, Said] = {}

    def accept(key: bytes, value: bytes | None) -> None:
        if value is None:
            said.pop(key, None)
        elif key != MONITOR:
            said[key] = decode_said(value)

    for number in range(settings.partitions):
        read_partition(settings.kafka_brokers, settings.topic(DECISIONS.name), number, accept)
    return effects(said.values())


def effects(said: Collection[Said]) -> dict[str, dict[str, Any]]:
    """Each kind's effect on purchases within the horizon: shares of both arms, their difference and its 95 % interval.

    The time is the newest event time decided on, of any customer. Kinds that were never decided are left out.
    """
    now = max((one.at for one in said), default=-1)
    by_kind = {kind: [one.trials[kind] for one in said if kind in one.trials] for kind in KINDS}
    return {kind: effect(trials, now)._asdict() for kind, trials in by_kind.items() if trials}
