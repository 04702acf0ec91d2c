"""The next click of a session: the live item index on Diginetica, in the split that SR-GNN and GCE-GNN report on.

The index takes the training sessions in the file's order, which is that of time, click by click as live ones. In the
last weeks of the training part the ranker learns as well: for a week's sessions it is asked, and told what came, by an
index that holds the weeks before alone, as it will be in the test. Then the index stands still: each test case is a
session's beginning, of which nothing is learned.
"""

import gc
import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import track

from deploy.evaluate.asked import Asked
from online.index import ItemIndex
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.outputs import Interaction

Session = list[int]

# The training part is 1 January to 24 May 2016; its sessions are taken to lie evenly in that time.
SPAN_MS: Final = 145 * 86_400_000
# The test part is a week and has about this many sessions.
WEEK: Final = 16_000
WEEKS: Final = 2
CHOICES: Final = 12_000
TOP: Final = 20


def measure(asked: Asked) -> dict[str, Any]:
    """P@20 and MRR@20 in per cent, and the time of an answer: wall clock, and CPU of this thread."""
    training, cases = _read(asked)
    index = ItemIndex(choices=0)
    step = SPAN_MS // len(training)
    began = time.process_time()
    _learn(index, training, step, asked)
    learned_s = time.process_time() - began
    now = len(training) * step
    asked_cases = (
        cases if asked.limit is None else random.Random(asked.seed).sample(cases, min(asked.limit, len(cases)))
    )
    hits, ranks, walls, cpus = 0, 0.0, [], []
    # What was learned is no garbage: a collection that looks at all of it is no part of an answer.
    gc.collect()
    gc.freeze()
    for prefix, target in _watched(asked_cases, "test cases", asked):
        items = [str(item) for item in prefix]
        wall, cpu = time.perf_counter(), time.thread_time()
        found = index.after(items, now, TOP)
        cpus.append(time.thread_time() - cpu)
        walls.append(time.perf_counter() - wall)
        wanted = str(target)
        rank = next((n for n, (item, _) in enumerate(found, 1) if item == wanted), 0)
        hits += rank > 0
        ranks += 1 / rank if rank else 0.0
    gc.unfreeze()
    count = len(asked_cases)
    p50, p99 = np.percentile(walls, [50, 99]) * 1e3
    return {
        "p20": round(100 * hits / count, 2),
        "mrr20": round(100 * ranks / count, 2),
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "p50_cpu_ms": round(float(np.percentile(cpus, 50)) * 1e3, 2),
        "p99_cpu_ms": round(float(np.percentile(cpus, 99)) * 1e3, 2),
        "cases": count,
        "training_sessions": len(training),
        "choices_learned": index.sequel.ranker.learned,
        "learn_s": round(learned_s, 1),
        "published": {"SR-GNN": {"p20": 50.73, "mrr20": 17.59}, "GCE-GNN": {"p20": 54.22, "mrr20": 19.04}},
    }


def show(console: Console, found: dict[str, Any]) -> None:
    """In a table, beside what was published."""
    from rich.table import Table

    table = Table("", "P@20 %", "MRR@20 %", title=f"{found['cases']} test cases of Diginetica")
    table.add_row("Footfall", str(found["p20"]), str(found["mrr20"]))
    for name, published in found["published"].items():
        table.add_row(f"{name} (published)", str(published["p20"]), str(published["mrr20"]))
    console.print(table)
    console.print(f"an answer takes {found['p50_ms']} ms in the middle, {found['p99_ms']} ms at the 99th percentile")


def _read(asked: Asked) -> tuple[list[Session], list[tuple[Session, int]]]:
    from stream.settings import Settings
    from stream.sources.files import find

    if asked.source != "diginetica":
        raise OperatorError(f"next-item is measured on diginetica, not on {asked.source}: --source diginetica [FILE]")
    path = find("diginetica", asked.path, Settings().source_dirs)
    try:
        data = json.loads(path.read_bytes())
        training = data["train_sessions"]
        cases = list(zip(data["test_prefixes"], data["test_targets"], strict=True))
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(f"{path} has no train_sessions, test_prefixes and test_targets: {error}") from error
    return training, cases


def _learn(index: ItemIndex, training: list[Session], step: int, asked: Asked) -> None:
    """The index learns every session, the ranker a sample of the last weeks' clicks, before the index has them."""
    rng = random.Random(asked.seed)
    week = min(WEEK, len(training) // 4)
    first = len(training) - WEEKS * week
    for number, session in enumerate(_watched(training, "training sessions", asked)):
        if number >= first and (number - first) % week == 0:
            _choose(index, training[number : number + week], number * step, rng)
        for click in _clicks(session, number, number * step):
            index.learn_one(click)


def _choose(index: ItemIndex, sessions: list[Session], now: int, rng: random.Random) -> None:
    ends = [(session, end) for session in sessions for end in range(1, len(session))]
    for session, end in rng.sample(ends, min(CHOICES, len(ends))):
        index.learn_choice([str(item) for item in session[:end]], str(session[end]), now)


def _clicks(session: Session, number: int, at: int) -> Iterator[Interaction]:
    for item in session:
        yield Interaction(customer=str(number), session=1, item=str(item), behaviour=Behaviour.VIEW, at=at)


def _watched(what: Sequence[Any], words: str, asked: Asked) -> Iterable[Any]:
    return track(what, words, disable=asked.quiet)
