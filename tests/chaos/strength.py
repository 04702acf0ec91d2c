"""How hard chaos strikes: a short storm by default, a long one with CHAOS_KILLS, another one with CHAOS_SEED."""

import os
from typing import NamedTuple

SHORT_KILLS = 4


class Strength(NamedTuple):
    """A seed and a number of kills say everything of a storm but its timing."""

    seed: int
    kills: int

    @property
    def long(self) -> bool:
        """Whether this is more than the short form."""
        return self.kills > SHORT_KILLS


STRENGTH = Strength(int(os.environ.get("CHAOS_SEED", "7")), int(os.environ.get("CHAOS_KILLS", SHORT_KILLS)))
