"""The core compiled: the modules that every event passes through, found before their sources where they were built.

`footfall compile` builds them, with mypyc out of the very sources, and keeps them under a digest of those. What was
changed since is not found, so nobody runs other code than he reads: until it is compiled again it is interpreted.
"""

import os
import sys
import sysconfig
from collections.abc import Sequence
from hashlib import sha256
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

# A folder to look in instead of the environment's own; 0 to run the sources.
SWITCH: Final = "FOOTFALL_COMPILED"
OFF: Final = "0"
ROOT: Final = Path(__file__).resolve().parents[1]
# Constants are compiled into those who use them: all that these folders hold is part of the digest.
FOLDERS: Final = ("schemas", "stream/features")
MODULES: Final = (
    "schemas.decode",
    "schemas.event",
    "schemas.fill",
    "schemas.hashing",
    "schemas.money",
    "schemas.times",
    "stream.features.align",
    "stream.features.apply",
    "stream.features.derive",
    "stream.features.engine",
    "stream.features.ledger",
    "stream.features.profile",
    "stream.features.run",
    "stream.features.windows",
)
SUFFIX: Final = ".so"


class Finder(MetaPathFinder):
    """Finds the modules of a folder, whose files bear their full names."""

    def __init__(self, folder: Path) -> None:
        self.files = {file.name.removesuffix(SUFFIX): file for file in folder.glob(f"*{SUFFIX}")}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The module's specification; None for one that was not compiled."""
        file = self.files.get(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))


def base() -> Path:
    """Where what is compiled is kept: with this environment, unless another place is named."""
    given = os.environ.get(SWITCH, "")
    return Path(given) if given not in ("", OFF) else Path(sys.prefix) / "share" / "footfall" / "core"


def folder() -> Path:
    """Where the sources as they are now belong compiled, for this build of Python."""
    return base() / digest()


def digest() -> str:
    """Of all that the compiled modules are made of, and for."""
    told = sha256(f"{sys.version} {sysconfig.get_config_var('SOABI')}".encode())
    for source in sources():
        told.update(f"\n{source}\n".encode() + (ROOT / source).read_bytes())
    return told.hexdigest()[:24]


def sources() -> list[Path]:
    """The files of the core, relative to `ROOT`."""
    return sorted(file.relative_to(ROOT) for folder in FOLDERS for file in (ROOT / folder).glob("*.py"))


def found() -> Path | None:
    """Where a process that starts now finds the core compiled; None where it runs the sources."""
    if os.environ.get(SWITCH) == OFF or not (here := folder()).is_dir():
        return None
    return here


def prefer() -> None:
    """Let imports find what is compiled, unless it is switched off."""
    here = found()
    if here is not None:
        sys.meta_path.insert(0, Finder(here))


def running() -> bool:
    """Whether this process runs the core compiled."""
    return any(isinstance(finder, Finder) for finder in sys.meta_path)
