"""Compiled, the core says what its sources say; and it is found only as long as it was made of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.core.build import ensure
from schemas import compiled
from stream.settings import Settings

SCRIPT = Path(__file__).with_name("told_by_core.py")


def said(**env: str) -> dict[str, Any]:
    known = os.environ | {"PYTHONPATH": str(compiled.ROOT)} | env
    done = subprocess.run([sys.executable, SCRIPT], env=known, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_compiled_it_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(compiled.SWITCH, raising=False)
    why: list[str] = []
    if not ensure(Settings().cache_dir, why.append):
        pytest.skip(why[-1])
    interpreted = said(**{compiled.SWITCH: compiled.OFF})
    assert not interpreted.pop("compiled")
    assert interpreted["refused"] > 500
    assert interpreted["records"] > 1_000
    assert interpreted["profiles"] > 200
    fast = said()
    assert fast.pop("compiled")
    assert fast == interpreted


def test_a_changed_source_is_another_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in compiled.sources():
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(compiled.ROOT / source, tmp_path / source)
    before = compiled.digest()
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    assert compiled.digest() == before
    # Also one that is not compiled: its constants are in those that are.
    for name in ("schemas/features.py", "stream/features/apply.py"):
        changed = tmp_path / name
        changed.write_text(changed.read_text() + "\n")
        assert compiled.digest() != before
        before = compiled.digest()


def test_only_what_was_compiled_is_found(tmp_path: Path) -> None:
    (tmp_path / f"stream.features.apply{compiled.SUFFIX}").touch()
    finder = compiled.Finder(tmp_path)
    found = finder.find_spec("stream.features.apply")
    assert found is not None
    assert found.origin == str(tmp_path / "stream.features.apply.so")
    assert finder.find_spec("stream.features.windows") is None


def test_every_module_of_it_is_one_of_its_sources() -> None:
    paths = {str(source) for source in compiled.sources()}
    assert {name.replace(".", "/") + ".py" for name in compiled.MODULES} <= paths
