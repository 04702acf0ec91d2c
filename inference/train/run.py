"""One training run: from an example file to a model folder."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from inference import manifest as manifests
from inference.bins import Bins
from inference.manifest import HEADS, Manifest
from inference.model import MODEL_FILE, TOKENIZER_FILE
from inference.story import render
from inference.tokenizer import Tokenizer
from inference.train import examples, network
from inference.train.calibrate import calibrate, calibration_error
from inference.train.choose import choose
from inference.train.examples import Row
from inference.train.export import export, parity, run
from inference.train.fit import Encoded, Options, Tell, aucs, fit, predict

PARITY_STORIES = 64


class Provenance(NamedTuple):
    """What the manifest says of where a model comes from; `created` is ISO 8601."""

    name: str
    source: str
    command: str
    created: str


def train(
    data: Path, out: Path, base: str | None, horizons: dict[str, int], whence: Provenance, options: Options, tell: Tell
) -> Manifest:
    """Train on an example file and write the model folder `out` (model.onnx, tokenizer.json, manifest.json).

    `horizons` are the labels' days per head. The metrics are measured on the test part with the written file itself.
    """
    table = examples.load(data)
    parts = examples.split(table, max(horizons.values()))
    training = examples.rows(parts.train, options.examples, options.seed)
    validating = examples.rows(parts.validation, options.validation, options.seed)
    testing = examples.rows(parts.test, options.test, options.seed)

    folder = network.base_folder(base)
    bins = choose(training, options.features, options.buckets)
    plain = Tokenizer.load(Path(folder) / "tokenizer.json", options.max_tokens)
    tokenizer = plain.extended(bins.vocabulary())
    train_set, validation_set, test_set = (_encode(rows, bins, tokenizer) for rows in (training, validating, testing))
    model = network.build(folder, tokenizer, bins, options.frozen_layers, torch.Generator().manual_seed(options.seed))
    steps = fit(model, train_set, validation_set, options, out / "checkpoint.pt", tell)
    calibrate(model, predict(model, validation_set.ids), validation_set.labels)

    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(out / TOKENIZER_FILE)
    export(model, out / MODEL_FILE)
    distance = parity(model, out / MODEL_FILE, test_set.ids[:PARITY_STORIES])
    metrics = _metrics(run(out / MODEL_FILE, test_set.ids, threads=options.threads), testing, test_set)
    manifest = Manifest(
        version=whence.name,
        bins=bins,
        max_tokens=options.max_tokens,
        horizons=horizons,
        files={name: manifests.checksum(out / name) for name in (MODEL_FILE, TOKENIZER_FILE)},
        data={
            "source": whence.source,
            "examples": table.height,
            "trained_on": len(training),
            "validated_on": len(validating),
            "tested_on": len(testing),
            "test_from": int(parts.test["at"][0]),
            "steps": steps,
        },
        command=whence.command,
        created=whence.created,
        metrics={**metrics, "export": {"parity_mean_difference": round(distance, 5)}},
        versions={"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers", "onnx", "onnxruntime", "tokenizers")},
    )
    manifest.write(out)
    (out / "checkpoint.pt").unlink(missing_ok=True)
    return manifest


def _encode(rows: list[Row], bins: Bins, tokenizer: Tokenizer) -> Encoded:
    labels = np.array([(row.churn, row.intent) for row in rows], dtype=np.float32)
    return Encoded(tokenizer.encode([render(row.snapshot, bins) for row in rows]), labels)


def _metrics(probabilities: "np.ndarray[Any, Any]", rows: list[Row], encoded: Encoded) -> dict[str, dict[str, float]]:
    """Per head: ROC AUC beside the one of recency alone, log loss, calibration error and the labels' share."""
    # Never ordered counts as the longest ago.
    since = np.array([1e6 if (d := r.snapshot.features.get("days_since_order")) is None else d for r in rows])
    recency = aucs(np.stack([since, -since], axis=1), encoded.labels)
    found = {}
    for head, (name, auc) in enumerate(zip(HEADS, aucs(probabilities, encoded.labels), strict=True)):
        given, labels = probabilities[:, head], encoded.labels[:, head]
        sure = np.clip(np.where(labels > 0.5, given, 1 - given), 1e-7, 1)
        found[name] = {
            "roc_auc": round(auc, 4),
            "roc_auc_recency": round(recency[head], 4),
            "log_loss": round(float(-np.log(sure).mean()), 4),
            "calibration_error": round(calibration_error(given, labels), 4),
            "share": round(float(labels.mean()), 4),
        }
    return found
