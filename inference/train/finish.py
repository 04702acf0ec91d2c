"""From a network that has learned to a model folder: exported, compared, measured with the very file, and described."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from inference import manifest as manifests
from inference.bins import Bins, features_of
from inference.manifest import Manifest
from inference.model import MODEL_FILE, TOKENIZER_FILE
from inference.tokenizer import Tokenizer
from inference.train import card
from inference.train.batches import Encoded, Labels
from inference.train.examples import Row
from inference.train.export import export, parity, run
from inference.train.measure import measured
from inference.train.network import Network
from inference.train.options import Options
from inference.train.text import text

PARITY_STORIES: Final = 1000


class Provenance(NamedTuple):
    """What the manifest says of where a model comes from; `created` is ISO 8601."""

    name: str
    source: str
    command: str
    created: str


class Learned(NamedTuple):
    """All that a model is; `horizons` are the labels' days per head."""

    network: Network
    tokenizer: Tokenizer
    bins: Bins
    heads: tuple[str, ...]
    horizons: Mapping[str, int]

    def encoded(self, rows: Sequence[Row]) -> Encoded:
        """Examples as it reads them."""
        return Encoded(self.tokenizer.encode([text(row, self.bins) for row in rows]), labels(rows, self.heads))


def labels(rows: Sequence[Row], heads: Sequence[str]) -> Labels:
    """Labels as numbers, [rows, heads]: NaN where nobody knows, log1p of amounts."""
    found = np.array([[np.nan if (v := getattr(row, h)) is None else v for h in heads] for row in rows], np.float32)
    if "value" in heads:
        column = heads.index("value")
        found[:, column] = np.log1p(np.maximum(found[:, column], 0))
    return found.reshape(len(rows), len(heads))


def finish(
    learned: Learned,
    out: Path,
    testing: Sequence[Row],
    data: Mapping[str, str | int | float],
    whence: Provenance,
    options: Options,
) -> Manifest:
    """Write model.onnx, tokenizer.json, manifest.json and the model card; `ParityError` where the file answers ill."""
    bins, heads = learned.bins, learned.heads
    out.mkdir(parents=True, exist_ok=True)
    learned.tokenizer.save(out / TOKENIZER_FILE)
    export(learned.network, out / MODEL_FILE, heads)
    test_set = learned.encoded(testing)
    apart = parity(learned.network, out / MODEL_FILE, sample(test_set, PARITY_STORIES, options.seed), heads)
    answers = run(out / MODEL_FILE, test_set.ids, threads=options.threads)
    stories = [row.snapshot.at for row in testing if row.snapshot is not None]
    manifest = Manifest(
        version=whence.name,
        bins=bins,
        max_tokens=learned.tokenizer.limit,
        heads=heads,
        horizons=dict(learned.horizons),
        registry={f: manifests.fingerprint(f) for name in bins.edges for f in features_of(name)},
        files={name: manifests.checksum(out / name) for name in (MODEL_FILE, TOKENIZER_FILE)},
        data={**data, "tested_on": len(testing), "test_from": min(stories, default=0)},
        command=whence.command,
        created=whence.created,
        metrics={**measured(answers, testing, test_set.labels, heads), "export": apart},
        versions={"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers", "onnx", "onnxruntime", "tokenizers")},
    )
    manifest.write(out)
    card.write(out, manifest)
    return manifest


def drawn(among: "np.ndarray[Any, Any]", most: int | None, seed: int) -> "np.ndarray[Any, Any]":
    """At most so many of these, in order."""
    if most is None or len(among) <= most:
        return among
    return np.sort(np.random.default_rng(seed).choice(among, most, replace=False))


def sample(encoded: Encoded, most: int | None, seed: int) -> Encoded:
    """At most so many texts, in order."""
    return encoded.taken(drawn(np.arange(len(encoded.ids)), most, seed))
