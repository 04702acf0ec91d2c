"""`footfall online`: who serves of the online models, on what evidence, and how good everybody is by now."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from online.state import Learner
    from schemas.outputs import ModelSnapshot
    from stream.settings import Settings

HELP = """Show the online models as they were last published: who serves each target, weights, metrics, every change.

A candidate takes over from the champion when, over blocks of examples, its log loss is lower beyond doubt, and is
rolled back with less evidence than that. Each change is on record with its evidence: how much lower the log loss of the
one who took over was (`gain`), and at least was (`bound`).

Examples:

  footfall online

  footfall online --json | jq .targets.churn.changes
"""
METRICS = ("n", "auc", "log_loss", "brier", "calibration")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("online", help=HELP)(online)


def online(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """Show the newest published version."""
    from rich.console import Console

    from online.state import Learner
    from schemas.errors import OperatorError
    from stream.settings import Settings

    snapshot = newest(Settings())
    if snapshot is None:
        raise OperatorError(
            "no version has been published yet: the first comes when a label has matured (`footfall up`)"
        )
    found = told(snapshot, Learner.restore(snapshot, serving=True))
    if as_json:
        Console().print_json(data=found)
    else:
        show(Console(), found)


def newest(settings: "Settings") -> "ModelSnapshot | None":
    """The version published last; None before the first."""
    import msgspec

    from online.state import NAME
    from schemas.outputs import ModelSnapshot
    from schemas.topics import MODELS
    from stream.kafka.restore import messages

    raw = None
    for message in messages(settings.kafka_brokers, settings.topic(MODELS.name), 0):
        if message.key() == NAME.encode():
            raw = message.value()
    return None if raw is None else msgspec.json.decode(raw, type=ModelSnapshot)


def told(snapshot: "ModelSnapshot", learner: "Learner") -> dict[str, Any]:
    """What the version says of itself, by target."""
    import msgspec

    from online.learner import TARGETS

    return {
        "version": snapshot.version,
        "at": snapshot.at,
        "learned": learner.model.learned,
        "targets": {
            target: {
                "champion": learner.contests[target].champion,
                "bert_weight": learner.ensembles[target].bert_weight,
                "weights": learner.model.weights(target),
                "metrics": _metrics(snapshot.metrics, target),
                "drifts": learner.drift[target].detections,
                "changes": [msgspec.to_builtins(change) for change in learner.contests[target].changes],
            }
            for target in TARGETS
        },
    }


def _metrics(found: dict[str, float], target: str) -> dict[str, dict[str, float]]:
    """`churn.bert.auc` and so on, by source and metric."""
    by_source: dict[str, dict[str, float]] = {}
    for name, value in found.items():
        of, *rest = name.split(".")
        if of == target and len(rest) == 2 and rest[1] in METRICS:
            by_source.setdefault(rest[0], {})[rest[1]] = value
    return by_source


def show(console: Any, found: dict[str, Any]) -> None:
    """A table of metrics and a list of changes for each target."""
    from datetime import UTC, datetime

    from rich.table import Table

    console.print(f"Version {found['version']}: learned {found['learned']}", highlight=False)
    for target, one in found["targets"].items():
        table = Table(
            "source", "examples", "ROC AUC", "log loss", "Brier", "calibration",
            title=f"{target}: {one['champion']} serves, BERT weighs {one['bert_weight']:.2f} in the ensemble",
        )  # fmt: skip
        for source, metrics in one["metrics"].items():
            table.add_row(source, f"{metrics.get('n', 0):,.0f}", *(_number(metrics.get(m)) for m in METRICS[1:]))
        console.print(table)
        weights = ", ".join(f"{name} {weight:.2f}" for name, weight in one["weights"].items())
        console.print(f"Weights of the learners: {weights}. Drifts found: {one['drifts']}.", highlight=False)
        for change in one["changes"]:
            at = datetime.fromtimestamp(change["at"] / 1000, UTC).isoformat(timespec="minutes")
            console.print(
                f"{at}  {change['what']}: {change['before']} → {change['after']} after {change['learned']} examples, "
                f"log loss lower by {change['gain']:.4f}, at least {change['bound']:.4f}",
                highlight=False,
            )
        if not one["changes"]:
            console.print("Nobody has taken over yet.", highlight=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
