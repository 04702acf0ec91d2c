"""Python environments beside Footfall's own, for programs that ask for other packages than it does."""

import shutil
import sys
from pathlib import Path

from deploy.local import installing
from deploy.local.part import Say


def python(cache: Path, name: str, requirements: str, say: Say, *, what: str, remedy: str) -> str:
    """The interpreter of the environment `name` under `cache`, made the first time and when `requirements` change.

    `requirements` is the text of a requirements file that names every package, dependencies too. An interrupted
    installation counts as none, as does one for another build of Python than runs this; of several processes one
    installs while the others wait. Raises `OperatorError`, which tells `what` could not be installed and the `remedy`.
    """
    home = cache.resolve() / name / f"py{sys.version_info.major}.{sys.version_info.minor}"
    interpreter = home / "bin" / "python"
    stamp = home / "complete"
    wanted = f"# {sys.base_prefix}, {sys.version}\n{requirements}"
    with installing.alone(home.parent):
        if stamp.exists() and stamp.read_text() == wanted:
            return str(interpreter)
        say(f"installing {what} in an environment of its own (once)")
        shutil.rmtree(home, ignore_errors=True)
        installing.run(sys.executable, "-m", "venv", "--without-pip", str(home), what=what, remedy=remedy)
        listed = home / "requirements.txt"
        listed.write_text(requirements)
        pip = (sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet", "--no-deps")
        installing.run(*pip, "-r", str(listed), what=what, remedy=remedy)
        stamp.write_text(wanted)
    return str(interpreter)
