"""What the installation's own folder holds of a customer: the training sets that `footfall train` made of a log."""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from inference.story import without_words
from schemas.outputs import Snapshot
from stream.features.erasure import FREE_WORDS

# A broker's own files hold the topics, which are looked through as topics; the rest are programs and models.
_NOT_OURS = frozenset({"kafka", "triton", "jars", "receipts"})


class Looked(NamedTuple):
    """The folders looked through, and how many rows of hers each file held."""

    folders: list[str]
    rows: dict[str, int]


def look(data_dir: Path, customer: str) -> Looked:
    """The rows of a customer in the folder's training sets."""
    rows = {}
    for path in _files(data_dir):
        count = pl.scan_parquet(path).filter(pl.col("customer") == customer).select(pl.len()).collect().item()
        if count:
            rows[str(path.relative_to(data_dir))] = int(count)
    return Looked(_folders(data_dir), rows)


def clear(data_dir: Path, customer: str, alias: str | None) -> None:
    """Take the customer's rows out of the training sets; with an alias they stay as the alias's, without her words."""
    for name in look(data_dir, customer).rows:
        path = data_dir / name
        table = pl.read_parquet(path)
        hers = pl.col("customer") == customer
        if alias is None:
            table = table.filter(~hers)
        else:
            snapshots = [
                _renamed(snapshot, alias) if whose == customer else snapshot
                for whose, snapshot in table.select("customer", "snapshot").iter_rows()
            ]
            if "text" in table.columns:
                texts = [
                    without_words(text) if whose == customer and text is not None else text
                    for whose, text in table.select("customer", "text").iter_rows()
                ]
                table = table.with_columns(pl.Series("text", texts, pl.String))
            table = table.with_columns(
                pl.when(hers).then(pl.lit(alias)).otherwise(pl.col("customer")).alias("customer"),
                pl.Series("snapshot", snapshots, pl.String),
            )
        new = path.with_suffix(".new")
        table.write_parquet(new)
        os.replace(new, path)


def _renamed(raw: str, alias: str) -> str:
    snapshot = msgspec.json.decode(raw, type=Snapshot)
    story = [msgspec.structs.replace(m, words="") if m.behaviour in FREE_WORDS else m for m in snapshot.story]
    return msgspec.json.encode(msgspec.structs.replace(snapshot, customer=alias, story=story)).decode()


def example(raw: bytes, alias: str) -> bytes:
    """A record of `examples` as the alias's, without the customer's words."""
    found = msgspec.json.decode(raw)
    return msgspec.json.encode({**found, "customer": alias, "story": without_words(found["story"])})


def _files(data_dir: Path) -> list[Path]:
    every = [path for name in _folders(data_dir) for path in sorted((data_dir / name).rglob("*.parquet"))]
    return [path for path in every if {"customer", "snapshot"} <= pl.read_parquet_schema(path).keys()]


def _folders(data_dir: Path) -> list[str]:
    if not data_dir.is_dir():
        return []
    return sorted(path.name for path in data_dir.iterdir() if path.is_dir() and path.name not in _NOT_OURS)
