"""The item index at 100,000 items beside implicit's item-kNN: how fast it learns and answers, and what it weighs.

Times are CPU time of one thread: on a shared machine a wall clock measures the neighbours. The index learns click by
click and forgets, implicit is fitted once to all of it.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from deploy.bench.shop_sessions import sessions
from deploy.bench.shop_views import STEP_MS, views
from deploy.local import environment
from deploy.local.part import Say
from online.index import ItemIndex
from online.recommend.recommend import recommend
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.outputs import Moment, Snapshot

ROOT: Final = Path(__file__).parents[2]
REQUIREMENTS: Final = Path(__file__).with_name("implicit-requirements.txt")


def items(
    count: int = 100_000, clicks: int = 200_000, queries: int = 2_000, cache: Path | None = None, say: Say = print
) -> dict[str, Any]:
    """`footfall` and `implicit` (None without a `cache` folder to install it in), each with its figures.

    `recommend_p99_ms` is a whole recommendation with reasons, `p99_ms` the ranking of a session alone.
    """
    rows = sessions(count, clicks)
    index = ItemIndex()
    began = time.process_time()
    for view in views(rows):
        index.learn_one(view)
    learned = time.process_time() - began
    picked = np.random.default_rng(1).integers(len(rows), size=queries)
    now = len(rows) * STEP_MS
    asked = [[str(item) for item in rows[number]] for number in picked.tolist()]
    ranking = [_timed(partial(index.after, session, now)) for session in asked]
    whole = [_timed(partial(recommend, _snapshot(session, now), index)) for session in asked]
    found: dict[str, Any] = {
        "items": len(index),
        "clicks": int(rows.size),
        "footfall": {
            "clicks_per_s": round(rows.size / learned),
            **_percentiles(ranking, ""),
            **_percentiles(whole, "recommend_"),
            "index_mb": round(weight(index) / 1e6, 1),
        },
        "implicit": None if cache is None else _implicit(cache, say, count, clicks, queries),
    }
    return found


def weight(index: ItemIndex) -> int:
    """Bytes of the index's arrays and inverted index, items' names included, customers left out."""
    memory = index.memory
    sessions, table, said = memory.sessions, memory.covisits, memory.searches
    held = sum(array.nbytes for array in (memory.hot, memory.popular, memory.seen))
    held += sum(array.nbytes for array in (sessions.items, sessions.at, sessions.lengths))
    held += sum(array.nbytes for array in (table.ids, table.counts, table.totals, said.ids, said.counts, said.totals))
    # An entry of the inverted index has 8 bytes, a name in two containers about 150; what is said of an item, and its
    # places among its like, about 400.
    return held + 8 * memory.sessions.posted + 150 * len(index) + 400 * len(index.shelf)


def _implicit(cache: Path, say: Say, *sizes: int) -> dict[str, Any]:
    interpreter = environment.python(
        cache, "implicit", REQUIREMENTS.read_text(), say, what="implicit", remedy="look at the network"
    )
    done = subprocess.run(
        [interpreter, "-m", "deploy.bench.entrants.implicit_knn", *map(str, sizes)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OperatorError(f"implicit did not finish: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _snapshot(session: list[str], now: int) -> Snapshot:
    story = [Moment(now, Behaviour.VIEW, item) for item in session]
    return Snapshot(id="b", customer="b", at=now, trigger="engaged", arrived=now, features={}, story=story)


def _timed(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _percentiles(seconds: list[float], prefix: str) -> dict[str, float]:
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    return {f"{prefix}p50_ms": round(float(p50), 2), f"{prefix}p99_ms": round(float(p99), 2)}
