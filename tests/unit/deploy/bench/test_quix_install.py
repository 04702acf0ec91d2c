"""Quix Streams' own environment has what our functions need in it, in the versions that we run."""

import subprocess
import sys
from importlib.metadata import packages_distributions

from deploy.bench.quix_install import REQUIREMENTS

IMPORTED = "import sys, deploy.bench.job, deploy.bench.work; print(*sys.modules)"


def pins(text: str) -> dict[str, str]:
    pairs = (line.partition("==") for line in text.splitlines() if "==" in line)
    return {name.lower().replace("_", "-"): version for name, _, version in pairs}


def test_it_has_all_that_our_functions_import() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    known = packages_distributions()
    modules = {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names
    needed = {d.lower().replace("_", "-") for name in modules for d in known.get(name, ())} - {"footfall", "setuptools"}
    there = pins(REQUIREMENTS.read_text())
    ours = pins((REQUIREMENTS.parents[2] / "requirements.txt").read_text())
    assert "msgspec" in needed
    assert {name: there.get(name) for name in needed} == {name: ours[name] for name in needed}
