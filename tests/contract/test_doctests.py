"""What docstrings show is what the code does."""

import doctest
import importlib
import importlib.util
import pkgutil
from pathlib import Path

import pytest

PACKAGES = ("schemas", "online", "inference", "stream", "deploy")


def _with_examples() -> list[str]:
    names = []
    for top in PACKAGES:
        for info in pkgutil.walk_packages(importlib.import_module(top).__path__, f"{top}."):
            spec = importlib.util.find_spec(info.name)
            if spec is not None and spec.origin and ">>> " in Path(spec.origin).read_text():
                names.append(info.name)
    return names


@pytest.mark.parametrize("name", _with_examples())
def test_docstring(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
