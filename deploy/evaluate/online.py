"""`footfall evaluate --online`: the online models with delayed labels, beside BERT, LightGBM and the plain ways."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from deploy.evaluate import batch
from deploy.evaluate.asked import Asked
from deploy.evaluate.delayed import LEARNERS, Found, run
from deploy.evaluate.past import TARGETS, Past, past
from inference.model import MODEL_FILE, SHIPPED, Model
from inference.train.examples import held
from online.metrics import calibration_error, log_loss, roc_auc
from online.state import Learner
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from stream.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

# Cut-offs from this day of the log on are tested.
TEST_DAY: Final = 275
# The first cut-off is taken so many days after the log's first.
WARM_UP: Final = 35
SOURCES: Final = ("constant", "recency", "online", "bert", "ensemble", "lightgbm_once", "lightgbm_retrained")


def measure(asked: Asked) -> dict[str, Any]:
    """ROC AUC, log loss, Brier score and calibration error by target and source on the cut-offs from `TEST_DAY` on.

    Labels are learned once mature. BERT is asked about what it never learned from only: from two of its longest
    horizons before its own test part on about the customers whom its training never saw, and about everybody in the
    test part. So the weights between it and the online model are learned on honest answers.
    """
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    if asked.source == "diginetica":
        raise OperatorError("diginetica has no customers to follow: use --source completejourney, or a log of your own")
    settings = Settings()
    folder = settings.data_dir.resolve() / "evaluate"
    console = Console(stderr=True, quiet=asked.quiet)
    say: Callable[[str], None] = lambda line: console.print(f"[dim]{line}[/]", highlight=False)  # noqa: E731
    with Progress(*Progress.get_default_columns(), TextColumn("{task.fields[words]}"), console=console) as replaying:
        known = past(asked.source, settings, folder, replaying)
    horizons = {"churn": settings.churn_days * DAY_MS, "intent": settings.intent_days * DAY_MS}
    test_from = known.cutoffs[0] + (TEST_DAY - WARM_UP) * DAY_MS
    if known.cutoffs[-1] < test_from:
        raise OperatorError(
            f"{asked.source} is too short: it must reach {settings.churn_days} days beyond its {TEST_DAY}th"
        )

    def child(what: str, given: dict[str, Any], *more: str) -> dict[str, Any]:
        return batch.run(what, given, folder, settings.cache_dir.resolve(), say, *more)

    answers = _bert(known, settings, child)
    trees = child("lightgbm", _for_lightgbm(known, horizons, test_from))
    with Progress(console=console, disable=asked.quiet) as progress:
        task = progress.add_task("predicting, then learning", total=len(known.at))
        found = run(known, Learner(), answers, horizons, lambda rows: progress.advance(task, rows))
    for target in TARGETS:
        columns = found.columns[target]
        columns["constant"] = found.rates[target]
        columns["lightgbm_once"], columns["lightgbm_retrained"] = trees[f"once.{target}"], trees[f"retrained.{target}"]
    result = _summary(known, found, test_from)
    result["learners"] = {target: learners(known, found, target, known.at >= test_from) for target in TARGETS}
    return result | {"cost": _cost(known, found, trees, test_from)}


def show(console: "Console", found: dict[str, Any]) -> None:
    """Tables: the sources by metric, and ROC AUC over time."""
    from rich.table import Table

    for target in TARGETS:
        table = Table(title=f"{target}: {found['examples']} predictions")
        for name in ("source", "ROC AUC", "log loss", "Brier", "calibration"):
            table.add_column(name)
        for source in SOURCES:
            values = (found[metric][target][source] for metric in ("auc", "log_loss", "brier", "calibration"))
            table.add_row(source, *("-" if value is None else f"{value:.4f}" for value in values))
        console.print(table)
    for name, value in found["cost"].items():
        console.print(f"{name}: {value}", highlight=False)


def _bert(known: Past, settings: Settings, child: Callable[..., dict[str, Any]]) -> Any:
    model = Model.load(settings.model_dir)
    path = (settings.model_dir or SHIPPED) / MODEL_FILE
    horizon = max(model.manifest.horizons.values()) * DAY_MS
    test_from = int(model.manifest.data["test_from"])
    late = known.at >= test_from - 2 * horizon
    unseen = (known.at >= test_from) | (late & held(known.customers).to_numpy())
    rows = np.flatnonzero(unseen)
    ids = model.encode([model.text(snapshot) for snapshot in known.snapshots(rows)])
    padded = np.full((len(ids), max(map(len, ids))), -1, np.int32)
    for row, tokens in enumerate(ids):
        padded[row, : len(tokens)] = tokens
    found = child("bert", {"ids": padded}, str(path))["answers"]
    answers = np.full((len(known.at), len(TARGETS)), np.nan)
    for column, target in enumerate(TARGETS):
        answers[rows, column] = found[:, model.manifest.heads.index(target)]
    return answers


def _for_lightgbm(known: Past, horizons: dict[str, int], test_from: int) -> dict[str, Any]:
    given = {"features": known.features, "at": known.at, "test_from": np.array(test_from), "targets": np.array(TARGETS)}
    for target in TARGETS:
        given |= {f"label.{target}": known.labels[target], f"horizon.{target}": np.array(horizons[target])}
    return given


def _summary(known: Past, found: Found, test_from: int) -> dict[str, Any]:
    tested = known.at >= test_from
    result: dict[str, Any] = {"examples": int(tested.sum()), "test_day": TEST_DAY}
    for metric in ("auc", "log_loss", "brier", "calibration"):
        result[metric] = {
            target: {source: judge(metric, known, found, target, source, tested) for source in SOURCES}
            for target in TARGETS
        }
    result["over_time"] = [
        {"day": (cutoff - known.cutoffs[0]) // DAY_MS + WARM_UP, "examples": int((known.at == cutoff).sum())}
        | {
            target: {source: judge("auc", known, found, target, source, known.at == cutoff) for source in SOURCES}
            for target in TARGETS
        }
        for cutoff in known.cutoffs
    ]
    return result


def learners(known: Past, found: Found, target: str, rows: Any) -> dict[str, float | None]:
    """Each learner's ROC AUC over those of the rows of which it said anything; None where it never did."""
    columns = found.columns[target]
    return {
        name: judge("auc", known, found, target, name, rows & ~np.isnan(columns[name])) if name in columns else None
        for name in LEARNERS
    }


def judge(metric: str, known: Past, found: Found, target: str, source: str, rows: Any) -> float | None:
    """One metric of one source over these rows; None where it was not asked, or where there is no such metric."""
    given = found.columns[target][source][rows]
    if np.isnan(given).any():
        return None
    if metric == "auc" and source == "constant":
        return 0.5
    labels, probabilities = known.labels[target][rows].tolist(), given.tolist()
    if metric == "auc":
        value = roc_auc(labels, probabilities)
    elif metric == "calibration":
        value = calibration_error(labels, probabilities)
    elif metric == "brier":
        value = float(np.mean((given - known.labels[target][rows]) ** 2))
    else:
        value = sum(map(log_loss, labels, probabilities)) / len(labels)
    return None if value is None else round(value, 4)


def _cost(known: Past, found: Found, trees: dict[str, Any], test_from: int) -> dict[str, float]:
    """CPU seconds. To know what one more example says costs the online model one step, LightGBM a training."""
    cutoffs = sum(cutoff >= test_from for cutoff in known.cutoffs)
    training = sum(float(trees[f"seconds.retrained.{target}"]) for target in TARGETS) / (cutoffs * len(TARGETS))
    learning = found.learn_s / max(1, found.learned)
    return {
        "online_learn_s": round(learning, 7),
        "online_predict_s": round(found.predict_s / max(1, found.predicted), 7),
        "lightgbm_training_s": round(training, 3),
        "online_share_of_a_training": round(learning / training, 7),
        "online_share_of_a_training_every_cutoff": round(learning * len(known.at) / len(known.cutoffs) / training, 4),
    }
