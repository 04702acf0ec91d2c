"""`footfall evaluate`: how good the models, recommendations and alerts are on real data, beside the plain ways."""

import importlib
from pathlib import Path
from typing import Annotated, Final

import typer

from schemas.errors import OperatorError

HELP = """Measure a task on real data, honestly: what is tested was never learned from, and plain ways stand beside.

Of churn, intent, value and sentiment, the served BERT is measured on the last fifth of the source's time beside the
online model and the ensemble (as they run live: a label is learned once it has matured), LightGBM and logistic
regression on every registered feature, recency, and for value BG/NBD with Gamma-Gamma. The answer has ROC AUC, average
precision, accuracy, precision, recall, F1, log loss and calibration; intervals and differences from LightGBM by
bootstrap over customers; slices with fairness gaps; and BERT's AUC under missing, noisy and shuffled input.

Examples:

  footfall evaluate --task churn --source completejourney --plots runs/plots

  footfall evaluate --task sentiment --source shopping-reviews --json

  footfall evaluate --task alerts --limit 600 --json

  footfall evaluate --task next-item --source diginetica diginetica_gcegnn.json --json

  footfall evaluate --task cold-start --source simulated

  footfall evaluate --task next-basket --source completejourney --json

  footfall evaluate --task bandit --source simulated --json

  footfall evaluate --task explanations --source completejourney --limit 200
"""

# The module of deploy.evaluate that answers: `measure(asked) -> dict` and `show(console, found)`.
TASKS: Final[dict[str, str]] = {
    "churn": "model",
    "intent": "model",
    "value": "model",
    "sentiment": "model",
    "alerts": "alerts",
    "online": "online",
    "cold-start": "cold_start",
    "drift": "drift",
    "next-item": "next_item",
    "next-basket": "next_basket",
    "bandit": "bandit",
    "explanations": "explanations",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", help=HELP)(evaluate)


def evaluate(
    path: Annotated[Path | None, typer.Argument(help="the file of a source that needs one")] = None,
    task: Annotated[str, typer.Option(help=f"one of {', '.join(TASKS)}")] = "churn",
    source: Annotated[
        str, typer.Option(help="completejourney, taobao, diginetica, or a FILE (of events, or of examples: .parquet)")
    ] = "completejourney",
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
