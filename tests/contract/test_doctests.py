"""What docstrings show is what the code does."""

import ast
import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "online", "inference", "stream", "deploy")
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _source(name: str) -> str:
    path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    return path.read_text() if path.exists() else ""


def _with_examples() -> list[str]:
    walked = [info.name for top in PACKAGES for info in pkgutil.walk_packages(_path(top), f"{top}.")]
    return [name for name in walked if ">>> " in _source(name)]


def _path(package: str) -> list[str]:
    return list(importlib.import_module(package).__path__)


def _docstrings(name: str) -> Iterator[str]:
    """Out of the source: a compiled module has none."""
    for node in ast.walk(ast.parse(_source(name))):
        if isinstance(node, WITH_DOCSTRING) and (docstring := ast.get_docstring(node)):
            yield docstring


@pytest.mark.parametrize("name", _with_examples())
def test_docstring(name: str) -> None:
    known = vars(importlib.import_module(name))
    runner = doctest.DocTestRunner()
    for docstring in _docstrings(name):
        runner.run(doctest.DocTestParser().get_doctest(docstring, dict(known), name, None, None))
    assert runner.tries > 0
    assert runner.failures == 0
