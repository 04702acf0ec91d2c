"""Each benchmark once, tiny, on brokers of their own: what they measure is there, and they leave nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration


def bench(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run `footfall bench … --json`; its result."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "bench", *arguments, "--json"],
        env=os.environ | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not list(folder.iterdir())
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_memory(tmp_path: Path) -> None:
    found = bench(tmp_path, "memory", "--profiles", "20")
    assert 0 < found["topic_bytes"]["p50"] < found["heavy_topic_bytes"]


def test_recovery(tmp_path: Path) -> None:
    found = bench(tmp_path, "recovery", "--profiles", "2000", "--partitions", "2")
    assert found["profiles_per_s"] > 0
    assert 0 < found["failover_first_s"] <= found["failover_s"] < 120


def test_scale(tmp_path: Path) -> None:
    found = bench(tmp_path, "scale", "--events", "2000", "--rounds", "1")
    assert found["workers"].keys() == {"1", "2", "4"}
    assert min(found["workers"].values()) > 0


def test_latency(tmp_path: Path) -> None:
    found = bench(tmp_path, "latency", "--rate", "50", "--seconds", "10", "--warm-up", "2", "--partitions", "2")
    assert found["sent_per_s"] == pytest.approx(50, rel=0.1)
    assert found["score"]["count"] > 0
    assert found["score"]["p99_ms"] >= found["score"]["p50_ms"] > 0


def test_profile(tmp_path: Path) -> None:
    few = ("--events", "3000", "--customers", "200", "--rounds", "1", "--partitions", "2", "--mode", "both")
    found = bench(tmp_path, "profile", *few)
    names = {"footfall", "faust_table", "quix", "floor", "floor_tuned"}
    for mode in (found, found["with_outputs"]):
        assert mode["events_per_s"].keys() == names
        assert min(mode["events_per_s"].values()) > 0
        assert mode["ratio"].keys() == names - {"footfall"}
    assert found["mix"]["events"] == 3000


def test_serve(tmp_path: Path) -> None:
    found = bench(tmp_path, "serve", "--events", "3000", "--texts", "16", "--rounds", "1")
    assert found["seq_per_s"].keys() == {"footfall", "textbook", "dynamic_padding"}
    assert min(*found["seq_per_s"].values(), *found["ratio"].values()) > 0
    assert found["callers"].keys() == {"1", "8", "64"}
    assert found["p99_ms"] >= found["p50_ms"] > 0
    assert found["runtime"]["textbook"].startswith("onnxruntime")
