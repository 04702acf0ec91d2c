"""A log of the past as arrays: every customer at every cut-off through the engine's own features, and her labels."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl

from inference.baselines.table import table as of_names
from schemas.features import FEATURES, NAMES
from schemas.outputs import Features, Snapshot
from stream.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress

TARGETS: Final = ("churn", "intent")


@dataclass(frozen=True)
class Past:
    """Rows ascending by cut-off: ids, `at` (epoch ms), features [rows, registry] (NaN: missing), labels, snapshots."""

    at: "np.ndarray[Any, np.dtype[np.int64]]"
    features: "np.ndarray[Any, np.dtype[np.float64]]"
    labels: dict[str, "np.ndarray[Any, np.dtype[np.bool_]]"]
    table: pl.DataFrame

    @property
    def cutoffs(self) -> list[int]:
        """The cut-offs, ascending."""
        return [int(at) for at in np.unique(self.at)]

    @property
    def customers(self) -> pl.Series:
        """Each row's customer."""
        return self.table["customer"]

    def row(self, number: int) -> Features:
        """One row's features as the pipeline has them."""
        values = self.features[number].tolist()
        return {name: None if value != value else value for name, value in zip(NAMES, values, strict=True)}

    def snapshots(self, rows: "np.ndarray[Any, Any]") -> Iterator[Snapshot]:
        """The snapshots of these rows."""
        decode = msgspec.json.Decoder(Snapshot).decode
        return (decode(raw) for raw in self.table["snapshot"].gather(rows))


def past(source: str, settings: Settings, folder: Path, progress: "Progress") -> Past:
    """The past of a source, kept in `folder`: made again when the registry or the horizons change.

    Raises `OperatorError` when there is no such source, or nothing in it.
    """
    from deploy.dataset import make
    from stream.dataset import write

    identity = repr((source, FEATURES, settings.currency, settings.churn_days, settings.intent_days))
    path = folder / f"past-{hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()}.parquet"
    if not path.exists():
        write(make(source, None, None, settings, progress), path)
    return load(path)


def load(path: Path) -> Past:
    """The past of an example file (see `stream.dataset`): what is labelled both ways."""
    table = pl.read_parquet(path).filter(pl.col("churn").is_not_null(), pl.col("intent").is_not_null()).sort("at", "id")
    decode = msgspec.json.Decoder(Snapshot).decode
    features = of_names((decode(raw).features for raw in table["snapshot"]), table.height, NAMES)
    return Past(table["at"].to_numpy(), features, {target: table[target].to_numpy() for target in TARGETS}, table)
