"""One training run: from example files to a model folder."""

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import torch
from accelerate import Accelerator

from inference import manifest as manifests
from inference.bins import features_of
from inference.manifest import Manifest
from inference.model import MODEL_FILE, TOKENIZER_FILE
from inference.tokenizer import Tokenizer
from inference.train import card, examples, network
from inference.train.batches import Encoded, Labels
from inference.train.calibrate import LATEST_DAYS, calibrate, level
from inference.train.choose import choose
from inference.train.examples import Row
from inference.train.export import export, parity, run
from inference.train.fit import fit, fit_numbers
from inference.train.loop import Tell
from inference.train.measure import measured
from inference.train.options import Options
from inference.train.pretrain import pretrain
from inference.train.teach import taught
from inference.train.text import cut, text
from inference.train.words import unknown

PARITY_STORIES = 1000


class Provenance(NamedTuple):
    """What the manifest says of where a model comes from; `created` is ISO 8601."""

    name: str
    source: str
    command: str
    created: str


def labels(rows: Sequence[Row], heads: Sequence[str]) -> Labels:
    """Labels as numbers, [rows, heads]: NaN where nobody knows, log1p of amounts."""
    found = np.array([[np.nan if (v := getattr(row, h)) is None else v for h in heads] for row in rows], np.float32)
    if "value" in heads:
        column = heads.index("value")
        found[:, column] = np.log1p(np.maximum(found[:, column], 0))
    return found.reshape(len(rows), len(heads))


def train(
    files: Sequence[Path],
    out: Path,
    base: str | None,
    horizons: Mapping[str, int],
    whence: Provenance,
    options: Options,
    tell: Tell,
) -> Manifest:
    """Train on example files and write the model folder `out` (model.onnx, tokenizer.json, manifest.json).

    `horizons` are the labels' days per head. The heads are those that the examples have labels for. The metrics are
    measured on the test part with the written file itself.
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    table = examples.load(files)
    parts = examples.split(table, horizons, by=options.validate_by)
    heads = examples.heads(parts.test)
    everything = examples.rows(parts.train, None, options.seed)
    bins = choose(everything, options.features, options.buckets)
    folder = network.base_folder(base)
    limit = len(bins.edges) + options.story_tokens + 2
    plain = Tokenizer.load(Path(folder) / "tokenizer.json", limit)
    reviews = (text(row, bins) for row in everything if row.snapshot is None)
    more = unknown(reviews, plain, options.new_words)
    tokenizer = plain.extended([*more, *bins.vocabulary()])
    model = network.build(
        folder,
        bins,
        len(heads),
        options.seed,
        layers=options.layers,
        frozen_layers=options.frozen_layers,
        new_words=len(more),
    )
    network.check(tokenizer, bins, model)

    def encoded(rows: list[Row]) -> Encoded:
        return Encoded(tokenizer.encode([text(row, bins) for row in rows]), labels(rows, heads))

    work = out / "checkpoints"
    train_set, validation_set = (
        Encoded(tokenizer.encode([cut(row, bins) for row in everything]), labels(everything, heads)),
        encoded(examples.rows(parts.validation, options.validation, options.seed)),
    )
    if options.teacher:
        with_teacher = taught(everything, train_set.labels, heads, options.teacher, options.seed)
        train_set = Encoded(train_set.ids, with_teacher)
    accelerator = Accelerator(mixed_precision=options.precision or _precision())
    with _logs(work / "logs") as log:
        fit_numbers(model, train_set, options, heads, work, tell, log)
        if options.pretrain:
            stories = examples.rows(parts.unlabelled, options.pretrain, options.seed)
            special = {word: tokenizer.id(word) or 0 for word in ("[CLS]", "[SEP]", "[MASK]")}
            ids = tokenizer.encode([text(row, bins) for row in stories])
            pretrain(model, ids, special, options, work, accelerator, tell, log)
        some = _both(train_set, everything, options)
        steps = fit(model, some, validation_set, options, heads, work, accelerator, tell, log)
    model = model.to("cpu")
    calibrate(model, validation_set, heads)
    # Where validation is too near to the test to know an answer, rather on what was learned from than not at all.
    unsure = [head for column, head in enumerate(heads) if np.isnan(validation_set.labels[:, column]).all()]
    calibrate(model, _sample(some, options.validation, options.seed), heads, only=unsure)
    recent = examples.latest(parts, horizons, LATEST_DAYS)
    level(model, encoded(examples.rows(recent, 2 * options.validation, options.seed)), heads)

    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(out / TOKENIZER_FILE)
    export(model, out / MODEL_FILE, heads)
    testing = examples.rows(parts.test, options.test, options.seed)
    test_set = encoded(testing)
    apart = parity(model, out / MODEL_FILE, _sample(test_set, PARITY_STORIES, options.seed), heads)
    manifest = Manifest(
        version=whence.name,
        bins=bins,
        max_tokens=limit,
        heads=heads,
        horizons=dict(horizons),
        registry={f: manifests.fingerprint(f) for name in bins.edges for f in features_of(name)},
        files={name: manifests.checksum(out / name) for name in (MODEL_FILE, TOKENIZER_FILE)},
        data={
            "source": whence.source,
            "examples": table.height,
            "trained_on": len(everything),
            "read_by_the_encoder": len(some.ids),
            "words_learned_anew": len(more),
            "validated_on": len(validation_set.ids),
            "tested_on": len(testing),
            "test_from": int(parts.test.filter(pl.col("snapshot").is_not_null())["at"].to_numpy().min(initial=2**62)),
            "steps": steps,
        },
        command=whence.command,
        created=whence.created,
        metrics={
            **measured(run(out / MODEL_FILE, test_set.ids, threads=options.threads), testing, test_set.labels, heads),
            "export": apart,
        },
        versions={"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "transformers", "onnx", "onnxruntime", "tokenizers")},
    )
    manifest.write(out)
    card.write(out, manifest)
    shutil.rmtree(work)
    return manifest


def _both(train: Encoded, rows: Sequence[Row], options: Options) -> Encoded:
    """What the encoder reads: stories and reviews, of each as many as the options say."""
    review = np.array([row.snapshot is None for row in rows])
    drawn = [
        _drawn(np.flatnonzero(of), most, options.seed)
        for of, most in ((~review, options.examples), (review, options.reviews))
    ]
    return train.taken(np.concatenate(drawn))


def _drawn(among: "np.ndarray[Any, Any]", most: int | None, seed: int) -> "np.ndarray[Any, Any]":
    if most is None or len(among) <= most:
        return among
    return np.sort(np.random.default_rng(seed).choice(among, most, replace=False))


def _sample(encoded: Encoded, most: int | None, seed: int) -> Encoded:
    return encoded.taken(_drawn(np.arange(len(encoded.ids)), most, seed))


def _precision() -> str:
    if not torch.cuda.is_available():
        return "no"
    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


@contextmanager
def _logs(folder: Path) -> Iterator[Callable[[str, float, int], None]]:
    """What is logged goes to TensorBoard's files in a folder."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    try:
        yield writer.add_scalar
    finally:
        writer.close()
