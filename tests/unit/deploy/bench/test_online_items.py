"""The benchmarks of recommendations, in small: they measure what they say, on shops that have every item."""

import subprocess
import sys

import numpy as np

from deploy.bench import recommender
from deploy.bench.online_items import items, weight
from deploy.bench.shop_sessions import sessions
from online.index import ItemIndex


def test_every_item_comes_and_few_come_often() -> None:
    rows = sessions(500, 3_000)
    counts = np.bincount(rows.ravel(), minlength=500)
    assert rows.shape == (600, 5)
    assert counts.min() == 1
    assert counts.max() > 200
    assert (rows == sessions(500, 3_000)).all()


def test_the_index_is_measured_and_weighed() -> None:
    found = items(200, 1_000, 20)
    assert (found["items"], found["clicks"], found["implicit"]) == (200, 1_000, None)
    assert 0 < found["footfall"]["p50_ms"] <= found["footfall"]["p99_ms"]
    # A companion has 16 bytes, and there are 64 of each of at least 1,024 slots.
    assert found["footfall"]["index_mb"] > 1
    assert weight(ItemIndex()) == 0


def test_the_recommender_is_loaded_and_answers_all() -> None:
    found = recommender.measure(items=50, clicks=250, rate=20, seconds=1.0, events_per_s=50)
    assert (found["requests"], found["failed"]) == (20, 0)
    assert 0 < found["p50_ms"] <= found["p99_ms"]


def test_what_runs_in_an_environment_of_its_own_asks_for_numpy_alone() -> None:
    asked = (
        "import sys, deploy.bench.shop_sessions; print({'msgspec', 'schemas'} & sys.modules.keys() or 'numpy alone')"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "numpy alone"
