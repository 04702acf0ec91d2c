"""What befalls a run, drawn from its seed: kills first of all, and among them everything else that goes wrong."""

import random
from enum import StrEnum
from typing import NamedTuple

LONGEST_GAP_S = 4.0


class Kind(StrEnum):
    """One thing that happens."""

    KILL_WORKER = "worker killed"
    KILL_AT_BARRIER = "worker killed within a barrier"
    KILL_BROKER = "broker killed"
    REFUSE = "flush refused half-way"
    TIME_OUT = "producers timed out"
    FREEZE = "worker cut off for longer than a session"
    JOIN = "worker joined"
    LEAVE = "worker left"


KILLS = (Kind.KILL_WORKER, Kind.KILL_AT_BARRIER, Kind.KILL_BROKER)


class Blow(NamedTuple):
    """A thing that happens, so many seconds after the one before it is over."""

    after_s: float
    kind: Kind


def plan(seed: int, kills: int) -> list[Blow]:
    """`kills` kills in random order, every fifth of the broker; one worker becomes three, and these two."""
    rng = random.Random(f"{seed}-plan")
    brokers = max(1, kills // 5)
    barriers = (kills - brokers + 1) // 2
    kinds = [Kind.KILL_BROKER] * brokers + [Kind.KILL_AT_BARRIER] * barriers
    kinds += [Kind.KILL_WORKER] * (kills - len(kinds))
    kinds += [Kind.REFUSE] * max(1, kills // 8) + [Kind.TIME_OUT] * max(1, kills // 15)
    kinds += [Kind.FREEZE] * (kills // 10)
    rng.shuffle(kinds)
    third = len(kinds) // 3
    ordered = [*kinds[:third], Kind.JOIN, Kind.JOIN, *kinds[third : 2 * third], Kind.LEAVE, *kinds[2 * third :]]
    return [Blow(rng.uniform(0.1, LONGEST_GAP_S), kind) for kind in ordered]
