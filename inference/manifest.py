"""What a model folder says about itself: what it reads, what it was trained on, how good it is."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from inference.bins import Bins, features_of
from schemas.errors import OperatorError
from schemas.features import BY_NAME

FILE: Final = "manifest.json"
# What a model may answer, in this order; the pipeline needs the first two.
HEADS: Final = ("churn", "intent", "value", "sentiment")
NEEDED: Final = HEADS[:2]


class Manifest(Struct, frozen=True, kw_only=True):
    """`manifest.json` of a model folder.

    `version` names the trained model in every score. `bins` are the features it reads with the edges of their buckets;
    `heads` what it answers, in order: probabilities of churn, of intent and of a content review, and log1p of the
    expected amount for value; `horizons` the days each looks ahead. `registry` are fingerprints of the features read:
    a feature whose unit, window or meaning has changed since is another one. `files` are SHA-256 checksums by file
    name. `metrics` are measured on the test part, with the very file that is served.
    """

    version: str
    bins: Bins
    max_tokens: int
    heads: tuple[str, ...] = NEEDED
    horizons: dict[str, int]
    registry: dict[str, str] = {}
    files: dict[str, str]
    data: dict[str, str | int | float]
    command: str
    created: str
    metrics: dict[str, dict[str, float]]
    versions: dict[str, str]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features read, in order."""
        return tuple(dict.fromkeys(feature for name in self.bins.edges for feature in features_of(name)))

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
    for name in manifest.features:
        if name not in BY_NAME:
            raise OperatorError(
                f"the model in {folder} reads the feature `{name}`, which this version does not compute: "
                "train it again with `footfall train`"
            )
        if manifest.registry.get(name, fingerprint(name)) != fingerprint(name):
            raise OperatorError(
                f"the model in {folder} was trained when the feature `{name}` had another unit, window or meaning: "
                "train it again with `footfall train`"
            )
    if manifest.heads[:2] != NEEDED or list(manifest.heads) != [head for head in HEADS if head in manifest.heads]:
        raise OperatorError(f"the model in {folder} predicts {manifest.heads}, not {HEADS}: train it again")
    return manifest


def fingerprint(name: str) -> str:
    """Eight hexadecimal digits of a registered feature's name, unit, window and meaning."""
    feature = BY_NAME[name]
    told = "|".join((feature.name, feature.unit, feature.window, feature.meaning))
    return hashlib.sha256(told.encode()).hexdigest()[:8]


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
