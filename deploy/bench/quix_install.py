"""Quix Streams in an environment of its own: it asks for older clients than Footfall's own."""

import shutil
import sys
from pathlib import Path

from deploy.local import installing
from deploy.local.part import Say

REQUIREMENTS = Path(__file__).with_name("quix-requirements.txt")


def python(cache: Path, say: Say) -> str:
    """The interpreter of that environment under `cache`, made the first time. Raises `OperatorError`."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = cache.resolve() / "quix" / f"py{version}"
    interpreter = home / "bin" / "python"
    wanted = REQUIREMENTS.read_text()
    stamp = home / "complete"
    if stamp.exists() and stamp.read_text() == wanted:
        return str(interpreter)
    say("installing Quix Streams in an environment of its own (once)")
    shutil.rmtree(home, ignore_errors=True)
    _run(sys.executable, "-m", "venv", "--without-pip", str(home))
    pip = (sys.executable, "-m", "pip", "--python", str(interpreter))
    _run(*pip, "install", "--quiet", "--no-deps", "-r", str(REQUIREMENTS))
    stamp.write_text(wanted)
    return str(interpreter)


def _run(*command: str) -> None:
    remedy = "look at the network, or leave it out with --only footfall,faust_table,floor"
    installing.run(*command, what="Quix Streams", remedy=remedy)
