"""Input as it should not be: parts missing, numbers off, behaviours in a wrong order."""

import random
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from schemas.outputs import Features, Snapshot

SHARE: Final = 0.2
NOISE: Final = 0.2


def _missing(snapshot: Snapshot, chance: random.Random) -> Snapshot:
    """A fifth of the features are not there."""
    features: Features = {k: None if chance.random() < SHARE else v for k, v in snapshot.features.items()}
    return replace(snapshot, features=features)


def _noisy(snapshot: Snapshot, chance: random.Random) -> Snapshot:
    """Every number is off by a fifth or so."""
    return replace(
        snapshot,
        features={k: None if v is None else v * chance.lognormvariate(0, NOISE) for k, v in snapshot.features.items()},
    )


def _shuffled(snapshot: Snapshot, chance: random.Random) -> Snapshot:
    """What she did is told in a random order."""
    story = list(snapshot.story)
    chance.shuffle(story)
    return replace(snapshot, story=story)


def _forgotten(snapshot: Snapshot, _chance: random.Random) -> Snapshot:
    """There is no story at all."""
    return replace(snapshot, story=[])


def _numberless(snapshot: Snapshot, _chance: random.Random) -> Snapshot:
    """There is nothing but the story."""
    return replace(snapshot, features={})


DISTURBANCES: Final[dict[str, Callable[[Snapshot, random.Random], Snapshot]]] = {
    "missing": _missing,
    "noisy": _noisy,
    "shuffled": _shuffled,
    "no_story": _forgotten,
    "no_features": _numberless,
}
