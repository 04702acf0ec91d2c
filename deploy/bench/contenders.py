"""Who runs in `bench profile`, in which Python, as which group, and where their state ends up."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.bench import quix_install
from deploy.local.part import Say

OURS = "footfall"


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to keep profiles. `group` and `store` take the topics' prefix and the round's name.

    `store` is the compacted topic with the state, None where there is none; `python` gives the interpreter, and
    installs it where need be.
    """

    name: str
    group: Callable[[str, str], str]
    store: Callable[[str, str], str] | None
    python: Callable[[Path, Say], str] = lambda _cache, _say: sys.executable

    @property
    def module(self) -> str:
        """The program that runs it."""
        return f"deploy.bench.entrants.{self.name}"


CONTENDERS = (
    Contender(OURS, lambda prefix, _run: f"{prefix}footfall-profile", lambda prefix, _run: f"{prefix}profiles"),
    Contender(
        "faust_table",
        lambda _prefix, run: f"faust-{run}",
        lambda _prefix, run: f"faust-{run}-profiles-changelog",
    ),
    Contender(
        "quix",
        lambda _prefix, run: f"quix-{run}",
        lambda prefix, run: f"changelog__quix-{run}--{prefix}clickstream--{prefix}orders--default",
        quix_install.python,
    ),
    Contender("floor", lambda _prefix, run: f"floor-{run}", None),
    Contender("floor_tuned", lambda _prefix, run: f"floor-tuned-{run}", None),
)
NAMES = tuple(contender.name for contender in CONTENDERS)
