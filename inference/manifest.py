"""What a model folder says about itself: what it reads, what it was trained on, how good it is."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from inference.bins import Bins
from schemas.errors import OperatorError
from schemas.features import NAMES

FILE: Final = "manifest.json"
HEADS: Final = ("churn", "intent")


class Manifest(Struct, frozen=True, kw_only=True):
    """`manifest.json` of a model folder.

    `version` names the trained model in every score. `bins` are the features it reads with the edges of their buckets;
    `heads` the probabilities it answers with, in order; `horizons` the days each looks ahead. `files` are SHA-256
    checksums by file name. `metrics` are measured on the test cut-offs, with the very file that is served.
    """

    version: str
    bins: Bins
    max_tokens: int
    heads: tuple[str, ...] = HEADS
    horizons: dict[str, int]
    files: dict[str, str]
    data: dict[str, str | int]
    command: str
    created: str
    metrics: dict[str, dict[str, float]]
    versions: dict[str, str]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features read, in order."""
        return tuple(self.bins.edges)

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a folder."""
        (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")


def read(folder: Path) -> Manifest:
    """The manifest of a model folder; `OperatorError` when there is none, or when it asks for unknown features."""
    path = folder / FILE
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise OperatorError(
            f"{path} is missing: set FOOTFALL_MODEL_DIR to a folder made by `footfall train`"
        ) from error
    except msgspec.DecodeError as error:
        raise OperatorError(f"{path} is no manifest ({error}): train the model again with `footfall train`") from error
    unknown = [name for name in manifest.features if name not in NAMES]
    if unknown:
        raise OperatorError(
            f"the model in {folder} reads the feature `{unknown[0]}`, which this version does not compute: "
            "train it again with `footfall train`"
        )
    if manifest.heads != HEADS:
        raise OperatorError(f"the model in {folder} predicts {manifest.heads}, not {HEADS}: train it again")
    return manifest


def checksum(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path, manifest: Manifest, *names: str) -> None:
    """Raise `OperatorError` when one of these files (all, when none is named) is missing or not the one trained."""
    for name in names or manifest.files:
        path = folder / name
        if not path.is_file():
            raise OperatorError(f"{path} is missing: restore the model folder, or train it again")
        if checksum(path) != manifest.files[name]:
            raise OperatorError(f"{path} is not the file of its manifest: restore the model folder, or train it again")
