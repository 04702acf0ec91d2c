"""Compiling the core with mypyc, for the Python that runs this."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.local import environment, installing
from deploy.local.part import Say
from schemas import compiled
from schemas.errors import OperatorError

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# What follows is imported and not compiled: of other packages mypyc only looks at the types.
SCRIPT = """
import json, sys
from mypyc.build import mypycify
from setuptools import setup
options = ["--config-file=", "--follow-imports=silent", "--ignore-missing-imports"]
modules = mypycify([*options, *json.loads(sys.argv.pop())], opt_level="3", group_name="footfall")
setup(name="footfall-core", ext_modules=modules, script_args=["--quiet", "build_ext", "--inplace"])
"""
IMPORTS = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
KEPT = 3


@dataclass(frozen=True)
class Built:
    """Where the core is compiled, and how long that took in seconds: none where it was there."""

    folder: Path
    seconds: float


def build(cache: Path, say: Say) -> Built:
    """Compile the core unless it is; of several processes one does. Raises `OperatorError` where that is not possible.

    mypyc is installed in an environment of its own under `cache`. What cannot be imported is not kept.
    """
    target = compiled.folder()
    if target.is_dir():
        return Built(target, 0.0)
    began = time.monotonic()
    try:
        _build(target, cache, say)
    except OSError as error:
        remedy = f"name a folder that you may write to in {compiled.SWITCH}"
        raise OperatorError(f"the core cannot be kept in {target.parent} ({error.strerror}): {remedy}") from error
    return Built(target, time.monotonic() - began)


def _build(target: Path, cache: Path, say: Say) -> None:
    with installing.alone(target.parent):
        if target.is_dir():
            return
        _require_compiler()
        remedy = "look at the network; until then the core is interpreted"
        python = environment.python(cache, "mypyc", REQUIREMENTS.read_text(), say, what="mypyc", remedy=remedy)
        say("compiling the core (once for each of its versions, about a minute)")
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = _compile(python, Path(folder), target.name)
            _try(made)
            made.rename(target)
        _forget(target.parent)


def ensure(cache: Path, say: Say) -> bool:
    """Compile the core where that is possible and wanted; whether processes that start now run it compiled."""
    if os.environ.get(compiled.SWITCH) == compiled.OFF:
        return False
    try:
        build(cache, say)
    except OperatorError as error:
        say(f"not compiled: {error}")
        return False
    return True


def _require_compiler() -> None:
    command = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(command) is None:
        raise OperatorError(f"no C compiler ({command}): install gcc; until then the core is interpreted")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        raise OperatorError(
            "no Python.h: install the headers of Python (python3-dev); until then the core is interpreted"
        )


def _compile(python: str, folder: Path, name: str) -> Path:
    """Compile a copy of the sources; the folder `name` of what came of it, each file by its module's full name."""
    for source in [*compiled.sources(), Path("stream/__init__.py")]:
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(compiled.ROOT / source, folder / source)
    files = [name.replace(".", "/") + ".py" for name in compiled.MODULES]
    done = subprocess.run(
        [python, "-c", SCRIPT, json.dumps(files)], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OperatorError(f"the core could not be compiled: {_last(done.stderr or done.stdout)}")
    made = folder / name
    made.mkdir()
    for file in [path for path in folder.rglob("*.so") if "build" not in path.relative_to(folder).parts]:
        module = ".".join(file.relative_to(folder).with_name(file.name.split(".")[0]).parts)
        file.rename(made / f"{module}{compiled.SUFFIX}")
    return made


def _try(made: Path) -> None:
    """Import all of it once, as those will who use it."""
    known = os.environ | {compiled.SWITCH: str(made.parent), "PYTHONPATH": str(compiled.ROOT)}
    command = [sys.executable, "-c", IMPORTS, *compiled.MODULES]
    done = subprocess.run(command, env=known, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperatorError(f"the compiled core cannot be imported: {_last(done.stderr)}")


def _forget(base: Path) -> None:
    """Keep what was compiled last: of the sources as they were before, as long as somebody may go back to them."""
    folders = sorted((path for path in base.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for folder in folders[:-KEPT]:
        shutil.rmtree(folder)


def _last(told: str) -> str:
    lines = told.strip().splitlines()
    return lines[-1].strip() if lines else "no message"
