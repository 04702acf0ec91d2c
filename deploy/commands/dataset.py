"""`footfall dataset`: training examples out of a log, reviews, or a running installation."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.errors import OperatorError

HELP = """Make training examples: what was known of a customer at a moment, and what she did then.

A log of events is replayed through the engine's own features. At cut-offs each customer's snapshot becomes an example,
labelled by what followed: churn, intent, and value (what she spent). Labels that the log is too short to know are left
open, their stories still teach BERT the language of the shop. `footfall train` splits what is made by time.

Examples:

  footfall dataset --source completejourney --out runs/completejourney.parquet

  footfall dataset --source taobao UserBehavior.csv --out runs/taobao.parquet

  footfall dataset --source shopping-reviews --out runs/reviews.parquet

  footfall dataset --source our-reviews.csv --out runs/reviews.parquet

  footfall dataset --source examples --out runs/served.parquet
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dataset", help=HELP)(dataset)


def dataset(
    out: Annotated[Path, typer.Option(help="the parquet file to write")],
    path: Annotated[
        Path | None, typer.Argument(help="the file of a named source, where it is not in its place")
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            help="completejourney, taobao, FILE.jsonl[.gz]; shopping-reviews, delivery-reviews, FILE.csv; examples"
        ),
    ] = "completejourney",
    every: Annotated[float | None, typer.Option(min=0.01, help="days between cut-offs; default 10, taobao 0.5")] = None,
    warm_up: Annotated[float | None, typer.Option(min=0, help="days before the first; default 35, taobao 2")] = None,
    churn_days: Annotated[float | None, typer.Option(min=0.01, help="default: FOOTFALL_CHURN_DAYS")] = None,
    intent_days: Annotated[float | None, typer.Option(min=0.01, help="default: FOOTFALL_INTENT_DAYS, taobao 1")] = None,
    value_days: Annotated[float | None, typer.Option(min=0.01, help="default: FOOTFALL_VALUE_DAYS")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print what was made as JSON, and no progress")] = False,
) -> None:
    """Make an example file."""
    from rich.console import Console

    from deploy.dataset import SHAPES, Shape, make
    from deploy.progress import bars
    from stream.dataset import write
    from stream.settings import Settings

    if out.suffix != ".parquet":
        raise OperatorError(f"{out} is no name for a parquet file: let it end in .parquet")
    usual = SHAPES.get(source, Shape())
    shape = Shape(
        every=every or usual.every,
        warm_up=usual.warm_up if warm_up is None else warm_up,
        churn=churn_days or usual.churn,
        intent=intent_days or usual.intent,
        value=value_days or usual.value,
    )
    with bars(quiet=as_json) as progress:
        made = make(source, path, shape, Settings(), progress)
    write(made, out)
    columns = {name: made[name].drop_nulls().to_numpy() for name in ("churn", "intent", "value", "sentiment")}
    labels = {name: {"known": len(known), "mean": float(known.mean())} for name, known in columns.items() if len(known)}
    console = Console()
    if as_json:
        console.print_json(data={"file": str(out), "examples": made.height, "labels": labels})
        return
    console.print(f"{out}: {made.height:,} examples", soft_wrap=True)
    for name, known in labels.items():
        console.print(f"  {name:9} known of {known['known']:,}, mean {known['mean']:.3f}")
