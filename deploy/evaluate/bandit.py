"""`footfall evaluate --task bandit`: whether learning which source is worth what to whom makes better lists.

A log of what customers really chose goes by in order of time. Before some of the choices every policy makes its list of
the same candidates, and hears afterwards only what became of its own: which items she then chose is the log's, which
places of a list she looks at is drawn by lot (position-based model), the same for every policy. A list succeeds when an
item that she looked at is chosen within the window. The first third is for learning alone; the difference between
policies is tested by bootstrap over customers.

Sources: Joachims et al. 2017 (clicks simulated from what is really wanted); Craswell et al. 2008 (places).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec.structs import replace
from rich.progress import track

from deploy.evaluate.asked import Asked
from inference.measures.bootstrap import draws, interval
from online.index import WEIGHTS, ItemIndex
from online.recommend.bandit import CONTEXT, PRIOR, Bandit, Floats, context, seen
from online.recommend.candidates import Candidate
from online.recommend.lists import NOWHERE, WINDOW_MS, Lists, Settled
from online.recommend.recommend import choose, gather, proposed
from online.recommend.shoppers import Shopper
from online.recommend.sources import FIRST, SOURCES
from online.recommend.visit import of_shopper
from schemas.errors import OperatorError
from schemas.features import DAY_MS, HOUR_MS
from schemas.hashing import hash64
from schemas.outputs import Interaction
from stream.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

LENGTH: Final = 10
# So many lists are made, over the whole log, unless `--limit` says otherwise.
CASES: Final = 20_000
WARM_UP: Final = 1 / 3
DRAWS: Final = 1_000
ANYBODY: Final = np.eye(CONTEXT)[0]
_LOTS: Final = 1 << 32

Worth = Mapping[str, float]


@dataclass
class Way:
    """A policy: what it holds the sources for, and what it learns from its lists; `won` are the cases of success."""

    worth: Callable[[Floats, str], Worth]
    explore: float = 0.0
    learn: Callable[[Settled], None] = lambda _: None
    lists: Lists = field(default_factory=lambda: Lists(limit=CASES))
    won: set[int] = field(default_factory=set)

    def settle(self, told: Interaction) -> None:
        """Something was chosen."""
        for settled in self.lists.chosen(told.customer, told.item, told.at):
            if settled.place != NOWHERE:
                self.won.add(int(settled.shown.decision_id))
            self.learn(settled)


class Trial:
    """One index, and policies that differ in nothing but the worth of sources."""

    def __init__(self, explore: float, seed: int) -> None:
        self.index = ItemIndex()
        self.customers: list[str] = []
        self._seed = seed
        self._average = Bandit()
        self._fixed: Worth | None = None
        both = Bandit()
        # What the index learns from choices is one teacher, its own lists the other.
        both.chosen = self.index.bandit.chosen
        self.bandit = both
        self.ways = {
            "bandit": Way(lambda who, _: both.worth(who), explore, both.learn_list),
            "choices": Way(lambda who, _: self.index.bandit.worth(who)),
            "average": Way(lambda _who, _: self._average.worth(ANYBODY), explore, self._learn_average),
            "fixed": Way(lambda _who, _: self._fixed or self._average.worth(ANYBODY)),
            "prior": Way(lambda _who, _: dict(zip(SOURCES, PRIOR, strict=True))),
            "random": Way(lambda _who, case: self._drawn(case)),
            **{f"{source} first": Way(_led_by(source)) for source in SOURCES},
        }

    def fix(self) -> None:
        """From now on the fixed policy's averages are what they are."""
        self._fixed = self._average.worth(ANYBODY)

    def ask(self, told: Interaction) -> None:
        """Every policy makes a list for her who is about to do this."""
        case = len(self.customers)
        visit = of_shopper(self.index.shoppers.find(told.customer) or Shopper(), told.at)
        candidates = proposed(visit, self.index)
        if not candidates:
            return
        self.customers.append(told.customer)
        who = context(visit)
        looked = int((seen(LENGTH) >= self._lot("looks", case)).sum())
        for way in self.ways.values():
            pool = gather(candidates, way.worth(who, str(case)))
            chosen = choose(pool, self.index, who.tolist(), f"{self._seed}|{case}", LENGTH, way.explore)
            way.lists.show(_looked_at(chosen.told(str(case), told.customer, told.at), looked))
        self._average.learn_one(ANYBODY, _first(candidates), told.item, WEIGHTS[told.behaviour])

    def happen(self, told: Interaction) -> None:
        """She did this."""
        if told.behaviour in WEIGHTS and told.item:
            for way in self.ways.values():
                way.settle(told)
        self.index.learn_one(told)

    def _learn_average(self, settled: Settled) -> None:
        self._average.learn_list(Settled(replace(settled.shown, who=ANYBODY.tolist()), settled.place))

    def _drawn(self, case: str) -> Worth:
        return {source: self._lot(source, case) for source in SOURCES}

    def _lot(self, *what: object) -> float:
        return (hash64("|".join(map(str, (self._seed, *what)))) % _LOTS + 1) / _LOTS


def measure(asked: Asked) -> dict[str, Any]:
    """The share of lists, in per cent, that succeeded by policy; and the bandit's paired difference from each other."""
    settings = Settings()
    return measured(list(interactions(asked, settings)), asked, settings.explore)


def measured(log: list[Interaction], asked: Asked, explore: float) -> dict[str, Any]:
    """The figures of these interactions, which are in order of time."""
    trial = Trial(explore, asked.seed)
    choices = sum(len(told.items) or 1 for told in log if told.behaviour in WEIGHTS)
    every = max(1, choices // (asked.limit or CASES))
    number, first = 0, None
    for told in track(log, "lists", disable=asked.quiet):
        if told.behaviour in WEIGHTS:
            if number >= choices * WARM_UP and first is None:
                trial.fix()
                first = len(trial.customers)
            # An order is one occasion, however many items it has: its list is made before the first of them.
            each = list(told.each())
            if any(hash64(f"{asked.seed}|{number + n}") % every == 0 for n in range(len(each))):
                trial.ask(each[0])
            number += len(each)
        for one in told.each():
            trial.happen(one)
    tested = range(first or 0, len(trial.customers))
    if first is None or not tested:
        raise OperatorError("there are too few choices to learn from some and test with others")
    won = {name: np.array([case in way.won for case in tested], float) for name, way in trial.ways.items()}
    customers = [trial.customers[case] for case in tested]
    weights = list(draws(customers, DRAWS, asked.seed))
    return {
        "source": asked.source,
        "lists": len(tested),
        "customers": len(set(customers)),
        "window_h": WINDOW_MS // HOUR_MS,
        "explore": explore,
        "success": {name: round(100 * float(of.mean()), 2) for name, of in won.items()},
        "bandit_above": {
            name: _apart(won["bandit"] - of, weights) for name, of in won.items() if name != "bandit"
        },
        "lists_learned": trial.bandit.lists,
        "choices_learned": trial.index.bandit.cases,
    }  # fmt: skip


def interactions(asked: Asked, settings: Settings) -> Iterator[Interaction]:
    """What the profile stage tells of a source's events."""
    from schemas.decode import decode
    from stream.features.engine import Engine
    from stream.stages.profile import engine_config

    engine = Engine(engine_config(settings))
    today = 0
    for offset, event in enumerate(_events(asked)):
        told = decode(event, settings.currency)
        if told.at // DAY_MS > today:
            today = told.at // DAY_MS
            for _ in engine.flush():  # Prunes what no feature sees any more.
                pass
        for record in engine.apply(told, 0, offset, told.at):
            if isinstance(record, Interaction):
                yield record


def _events(asked: Asked) -> Iterator[bytes]:
    if asked.source == "simulated":
        from deploy.evaluate.cold_start import CUSTOMERS, DAYS, START_MS
        from deploy.simulate.storefront import Storefront

        shop = Storefront(asked.seed, customers=CUSTOMERS, days=DAYS, live_every_s=600)
        return (event.value for event in shop.events(START_MS, START_MS + DAYS * DAY_MS))
    from stream.sources.catalogue import open_source

    return (event.value for event in open_source(asked.source, asked.path).events())


def _led_by(source: str) -> Callable[[Floats, str], Worth]:
    """Always this source before all others, which stand as shipped."""
    worth = {one: 1.0 if one == source else worth / 2 for one, worth in zip(SOURCES, PRIOR, strict=True)}
    return lambda _who, _case: worth


def _looked_at(told: Interaction, places: int) -> Interaction:
    """A list of which she sees the first places: what is chosen of the rest is not chosen from it."""
    shown = told.shown
    if shown is None:
        return told
    items = [item if place < places else "" for place, item in enumerate(shown.items)]
    return replace(told, shown=replace(shown, items=items))


def _first(candidates: list[Candidate]) -> dict[str, list[str]]:
    """What each source would show first."""
    found: dict[str, list[str]] = {source: [] for source in SOURCES}
    for one in candidates:
        if len(found[one.source]) < FIRST:
            found[one.source].append(one.item)
    return found


def _apart(gains: Floats, weights: list[Floats]) -> dict[str, Any]:
    drawn = [float(np.average(gains, weights=one)) for one in weights]
    return {
        "difference": round(100 * float(gains.mean()), 2),
        "interval": [round(100 * bound, 2) for bound in interval(drawn)],
    }


def show(console: "Console", found: dict[str, Any]) -> None:
    """In a table, policy by policy."""
    from rich.table import Table

    words = {
        "bandit": "bandit: from lists and choices, by who is asked",
        "choices": "the same from choices alone",
        "average": "from lists and choices, the same for all",
        "fixed": "averages of the first third, then fixed",
        "prior": "as shipped, learning nothing",
        "random": "by lot",
    }
    title = f"{found['lists']:,} lists for {found['customers']:,} customers of {found['source']}"
    table = Table("the worth of sources", "chosen from, %", "bandit above it", title=title)
    for name in found["success"]:
        what = words.get(name, name)
        above = found["bandit_above"].get(name)
        apart = "" if above is None else "{difference} ({interval[0]} to {interval[1]})".format(**above)
        table.add_row(what, f"{found['success'][name]:.2f}", apart)
    console.print(table)
