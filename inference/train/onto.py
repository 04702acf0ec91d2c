"""Going on from a served model: what it makes of reviews is learned anew, what it says of customers stays as it is."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from inference import manifest as manifests
from inference.manifest import Manifest
from inference.model import MODEL_FILE, TOKENIZER_FILE
from inference.tokenizer import Tokenizer
from inference.train import examples
from inference.train.batches import Encoded
from inference.train.calibrate import calibrate
from inference.train.export import ParityError, apart, run
from inference.train.finish import PARITY_STORIES, Learned, Provenance, finish, sample
from inference.train.grams import READ, fit_grams, readable
from inference.train.network import base_folder
from inference.train.options import Options
from inference.train.restore import restore
from schemas.errors import OperatorError

# Between the two files' answers about customers: they come of the same integers, added up in another order.
MOST_MOVED: Final = 1e-3
MOST_AUC_MOVED: Final = 2e-4


def onto(
    served: Path, files: Sequence[Path], out: Path, base: str | None, whence: Provenance, options: Options
) -> Manifest:
    """Write the folder `out`: the model of the folder `served` with a path of its own for reviews, calibrated.

    Example files give the reviews, and the stories that it is measured on: as many heads as `served` has. Raises
    `OperatorError` where they do not, `ParityError` (and leaves no folder) where an answer about a customer has moved.
    """
    before = manifests.read(served)
    manifests.verify(served, before)
    network, _ = restore(served, base_folder(base), before.bins, len(before.heads))
    tokenizer = Tokenizer.load(served / TOKENIZER_FILE, before.max_tokens)
    learned = Learned(network, tokenizer, before.bins, before.heads, before.horizons)
    parts = examples.split(examples.load(files), before.horizons, by=options.validate_by)
    if examples.heads(parts.test) != before.heads:
        raise OperatorError(
            f"{served} answers {', '.join(before.heads)}: give examples of each, with --source or --data"
        )
    reviews, judging = (
        learned.encoded(examples.rows(part.filter(pl.col("snapshot").is_null()), None, options.seed))
        for part in (parts.train, parts.validation)
    )
    network.grams = fit_grams(reviews, before.heads)
    if network.grams is None:
        raise OperatorError(f"too few reviews to learn {READ} from: give more")
    calibrate(network, judging, before.heads, only=[READ])
    testing = examples.rows(parts.test, options.test, options.seed)
    data = {
        **before.data,
        "onto": before.version,
        "which_was_made_by": before.command,
        "reviews_that_grams_read": readable(reviews, before.heads),
    }
    manifest = finish(learned, out, testing, data, whence, options)
    try:
        _still(served, out, learned, testing, options)
    except ParityError:
        shutil.rmtree(out)
        raise
    return manifest


def _still(served: Path, out: Path, learned: Learned, testing: Sequence[examples.Row], options: Options) -> None:
    """`ParityError` where the new file says anything else of customers than the old one did."""
    rows = [row for row in testing if row.snapshot is not None]
    stories = sample(learned.encoded(rows), PARITY_STORIES, options.seed)
    before, now = (run(folder / MODEL_FILE, stories.ids, threads=options.threads) for folder in (served, out))
    told = [column for column, head in enumerate(learned.heads) if head != READ]
    asked = Encoded(stories.ids, stories.labels[:, told])
    found = apart(now[:, told], before[:, told], asked, [learned.heads[column] for column in told])
    if not (found["mean_difference"] <= MOST_MOVED and found["largest_auc_difference"] <= MOST_AUC_MOVED):
        raise ParityError(f"{out} answers otherwise than {served} about customers: {found}")
