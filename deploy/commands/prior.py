"""`footfall prior`: what one shop's customers taught, for the online models of the next shop to begin with."""

from pathlib import Path
from typing import Annotated

import typer

HELP = """Make a prior: what a new shop's online models know before its own customers have taught them anything.

It holds weights of scaled features and nothing of anybody. An installation begins with the shipped one, or with the
file that FOOTFALL_PRIOR names; `footfall evaluate --task cold-start` shows what it is worth.

Examples:

  footfall dataset --source completejourney --out examples.parquet

  footfall prior examples.parquet --out prior.json
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prior", help=HELP)(prior)


def prior(
    examples: Annotated[Path, typer.Argument(help="an example file that `footfall dataset` made")],
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("prior.json"),
    most: Annotated[int, typer.Option(min=1, help="examples to learn from, drawn by chance")] = 12_000,
    seed: Annotated[int, typer.Option(help="which examples are drawn")] = 7,
) -> None:
    """Learn from the examples in order of time, and write what was learned."""
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from deploy.evaluate.past import TARGETS, load
    from online.learners.basis import vector
    from online.learners.newton import Newton
    from online.prior import distil
    from schemas.errors import OperatorError
    from schemas.outputs import encode

    if not examples.is_file():
        raise OperatorError(f"there is no file {examples}: make one with `footfall dataset`")
    past = load(examples)
    if not len(past.at):
        raise OperatorError(f"{examples} has no example that is labelled both ways: a prior needs churn and intent")
    chance = np.random.default_rng(seed)
    rows = np.sort(chance.choice(len(past.at), min(most, len(past.at)), replace=False))
    models = {target: Newton() for target in TARGETS}
    console = Console(stderr=True)
    for row in track(rows.tolist(), "learning", console=console):
        values = vector(past.row(row))
        for target, model in models.items():
            model.learn(values, float(past.labels[target][row]))
    out.write_bytes(encode(distil(models, examples.stem)))
    console.print(f"{out}: what {len(rows):,} examples taught, {out.stat().st_size:,} bytes", highlight=False)
