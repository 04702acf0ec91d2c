"""One training run: from example files to a model folder."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from inference.manifest import Manifest
from inference.tokenizer import Tokenizer
from inference.train import examples, network
from inference.train.batches import Encoded
from inference.train.calibrate import LATEST_DAYS, calibrate, level
from inference.train.choose import choose
from inference.train.examples import Row
from inference.train.finish import Learned, Provenance, drawn, finish, labels, sample
from inference.train.fit import fit, fit_numbers
from inference.train.grams import fit_grams, readable
from inference.train.loop import Tell
from inference.train.options import Options
from inference.train.pretrain import pretrain
from inference.train.teach import taught
from inference.train.text import cut, text
from inference.train.words import unknown


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
    model.grams = fit_grams(train_set, heads)
    grams_read = readable(train_set, heads) if model.grams is not None else 0
    calibrate(model, validation_set, heads)
    # Where validation is too near to the test to know an answer, rather on what was learned from than not at all.
    unsure = [head for column, head in enumerate(heads) if np.isnan(validation_set.labels[:, column]).all()]
    calibrate(model, sample(some, options.validation, options.seed), heads, only=unsure)
    recent = examples.latest(parts, horizons, LATEST_DAYS)
    level(model, encoded(examples.rows(recent, 2 * options.validation, options.seed)), heads)

    data: dict[str, str | int | float] = {
        "source": whence.source,
        "examples": table.height,
        "trained_on": len(everything),
        "read_by_the_encoder": len(some.ids),
        "words_learned_anew": len(more),
        "reviews_that_grams_read": grams_read,
        "validated_on": len(validation_set.ids),
        "steps": steps,
    }
    learned = Learned(model, tokenizer, bins, heads, horizons)
    manifest = finish(learned, out, examples.rows(parts.test, options.test, options.seed), data, whence, options)
    shutil.rmtree(work)
    return manifest


def _both(train: Encoded, rows: Sequence[Row], options: Options) -> Encoded:
    """What the encoder reads: stories and reviews, of each as many as the options say."""
    review = np.array([row.snapshot is None for row in rows])
    taken = [
        drawn(np.flatnonzero(of), most, options.seed)
        for of, most in ((~review, options.examples), (review, options.reviews))
    ]
    return train.taken(np.concatenate(taken))


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
