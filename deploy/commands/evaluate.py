"""`footfall evaluate`: how good the models, recommendations and alerts are on real data, beside the plain ways."""

import importlib
from pathlib import Path
from typing import Annotated, Final

import typer

from schemas.errors import OperatorError

HELP = """Measure a task on real data, honestly: what is tested was never learned from, and plain ways stand beside.

Examples:

  footfall evaluate --task next-item --source diginetica diginetica_gcegnn.json --json
"""

# The module of deploy.evaluate that answers: `measure(asked) -> dict` and `show(console, found)`.
TASKS: Final[dict[str, str]] = {"next-item": "next_item"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", help=HELP)(evaluate)


def evaluate(
    path: Annotated[Path | None, typer.Argument(help="the file of a source that needs one")] = None,
    task: Annotated[str, typer.Option(help=f"one of {', '.join(TASKS)}")] = "churn",
    source: Annotated[str, typer.Option(help="completejourney, taobao, diginetica, or a FILE")] = "completejourney",
    online: Annotated[bool, typer.Option("--online", help="the online models, progressively, on all targets")] = False,
    plots: Annotated[Path | None, typer.Option(help="folder to write plots to")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="most cases to test")] = None,
    seed: Annotated[int, typer.Option(help="for samples and bootstraps")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON, and no progress")] = False,
) -> None:
    """Measure, and show."""
    from rich.console import Console

    from deploy.evaluate.asked import Asked

    name = "online" if online else task
    if name not in TASKS:
        raise OperatorError(f"there is no task {name!r}; there are {', '.join(TASKS)}")
    module = importlib.import_module(f"deploy.evaluate.{TASKS[name]}")
    found = module.measure(Asked(name, source, path, plots, limit, seed, quiet=as_json))
    console = Console()
    if as_json:
        console.print_json(data=found)
    else:
        module.show(console, found)
