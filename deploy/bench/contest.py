"""`bench profile`: the same events and the same features through every contender, round after round."""

import asyncio
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.bench.contenders import CONTENDERS, NAMES, OURS, Contender
from deploy.bench.events import CUSTOMERS, SPAN_S, events
from deploy.bench.fill import Filled, fill
from deploy.bench.place import place
from deploy.bench.turn import Speed, Turn, take
from deploy.local.supervisor import Announce
from schemas import compiled
from schemas.errors import OperatorError
from stream.settings import Settings

PREFIX = "mix-"
MODES = {"state": False, "with_outputs": True}
Speeds = dict[str, Speed]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: contenders by name, `rounds` of each mode, `total` events."""

    names: tuple[str, ...] = NAMES
    rounds: int = 3
    total: int = 300_000
    customers: int = CUSTOMERS
    span_s: int = SPAN_S
    partitions: int = 4
    modes: tuple[str, ...] = ("state",)
    profile_to: str = ""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.names) - set(NAMES)):
            raise OperatorError(f"--only {unknown[0]}: there are {', '.join(NAMES)}")

    @property
    def contenders(self) -> list[Contender]:
        """Those who run."""
        return [contender for contender in CONTENDERS if contender.name in self.names]

    @property
    def turns(self) -> int:
        """How many processes will be started."""
        return len(self.names) * self.rounds * len(self.modes)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told how it goes: records sent, and each turn's beginning and end."""

    sent: Callable[[int], None] = lambda _count: None
    turn: Callable[[str], None] = lambda _what: None
    done: Callable[[str, float], None] = lambda _name, _rate: None


@dataclass
class Found:
    """Speeds by mode, one dict a round, and the event set."""

    mix: Filled
    speeds: dict[str, list[Speeds]] = field(default_factory=dict)


async def contest(settings: Settings, plan: Plan, announce: Announce, watcher: Watcher) -> Found:
    """Run the plan on a broker of its own. Raises `OperatorError` where a contender fails or its state is wrong."""
    chosen = plan.contenders
    pythons = {c.name: await asyncio.to_thread(c.python, settings.cache_dir, _say(announce, c.name)) for c in chosen}
    async with place(settings, announce=announce, partitions=plan.partitions) as (own, _):
        found = await asyncio.to_thread(_fill, own, plan, watcher.sent)
        for mode in plan.modes:
            for number in range(plan.rounds):
                speeds: Speeds = {}
                for contender in rotated(chosen, number):
                    watcher.turn(f"{mode}, round {number + 1} of {plan.rounds}: {contender.name}")
                    run = f"{mode.replace('_', '-')}-{number}"
                    folder = own.data_dir / f"{contender.name}-{run}"
                    turn = Turn(own, PREFIX, found.mix, run, MODES[mode], folder, plan.profile_to)
                    speeds[contender.name] = await take(turn, contender, pythons[contender.name])
                    watcher.done(contender.name, speeds[contender.name].rate)
                found.speeds.setdefault(mode, []).append(speeds)
        return found


def rotated(contenders: Sequence[Contender], number: int) -> list[Contender]:
    """The order of a round: everyone is first, and last, in turn."""
    start = number % len(contenders)
    return [*contenders[start:], *contenders[:start]]


def _say(announce: Announce, name: str) -> Callable[[str], None]:
    return lambda line: announce(name, line)


def _fill(settings: Settings, plan: Plan, sent: Callable[[int], None]) -> Found:
    return Found(fill(settings, PREFIX, events(plan.total, plan.customers, plan.span_s), sent))


def summary(plan: Plan, found: Found) -> dict[str, Any]:
    """The result as JSON: the first mode at the top, the others under their names."""
    modes = {mode: _medians(rounds) for mode, rounds in found.speeds.items()}
    first, *others = modes
    result: dict[str, Any] = {**modes[first], "rounds": plan.rounds, "mode": first}
    result |= {mode: modes[mode] for mode in others}
    result |= {"mix": found.mix.told(), "span_s": plan.span_s, "partitions": plan.partitions}
    result["core"] = "compiled" if compiled.found() else "interpreted"
    return result


def _medians(rounds: list[Speeds]) -> dict[str, Any]:
    """Each one's median rate, and the medians of ours over theirs, round by round: what both met alike cancels out."""
    names = list(rounds[0])
    medians: dict[str, Any] = {
        "events_per_s": {name: round(statistics.median(speeds[name].rate for speeds in rounds)) for name in names},
        "cpu_us_per_event": {
            name: round(statistics.median(speeds[name].cpu_us for speeds in rounds), 1) for name in names
        },
    }
    if OURS in names:
        medians["ratio"] = {
            name: round(statistics.median(speeds[OURS].rate / speeds[name].rate for speeds in rounds), 3)
            for name in names
            if name != OURS
        }
    return medians
