"""BERT on churn, intent, value or sentiment, beside the online model, the ensemble and plain ways."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from deploy.evaluate.asked import Asked
from schemas.errors import OperatorError

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from deploy.evaluate.cases import Cases
    from inference.train.examples import Row
    from schemas.outputs import Snapshot

    Array = np.ndarray[Any, np.dtype[np.float64]]

NEEDS: Final = "pip install 'footfall[train]'"
RESAMPLES: Final = 200
# Disturbed input is measured on so many cases at most.
DISTURBED: Final = 2000
AGAINST: Final = "against_"


def measure(asked: Asked) -> dict[str, Any]:
    """Every model on the same cases; see `footfall evaluate --help` for what is in the answer."""
    try:
        from deploy.evaluate.bert import Bert
        from deploy.evaluate.cases import gather
        from deploy.evaluate.plain import plain
    except ModuleNotFoundError as error:
        raise OperatorError(f"this measurement needs {error.name}: {NEEDS}") from error

    bert = Bert.load(asked.task)
    cases = gather(asked)
    if not cases.test:
        raise OperatorError(f"{asked.source} has no case of {asked.task} to test on")
    told = {"bert": bert.answer(cases.test), **_online(bert, cases, asked), **plain(asked.task, cases, asked.seed)}
    found = _amounts(told, cases, asked) if asked.task == "value" else _shares(told, cases, asked)
    return {
        "task": asked.task,
        "source": asked.source,
        "model": bert.manifest.version,
        "cases": len(cases.test),
        "customers": len({_customer(row, n) for n, row in enumerate(cases.test)}),
        "trained_on": len(cases.train),
        **found,
        "robustness": _robustness(bert, cases, asked),
    }


def show(console: "Console", found: dict[str, Any]) -> None:
    """The table of models, and what stands out."""
    from rich.table import Table

    table = Table(title=f"{found['task']}: {found['cases']:,} cases of {found['source']}")
    names = list(found["scores"]["bert"])
    baseline = next(key for told in found["bootstrap"].values() for key in told if key.startswith(AGAINST))
    for column in ("model", "ROC AUC", "95%", baseline, *names):
        table.add_column(column.replace("_", " "))
    for model, auc in found["auc"].items():
        told = found["bootstrap"][model]
        against = told.get(baseline)
        low, high = told["interval"]
        apart = f"{against['difference']:+.4f} (p {against['p']:.3f})" if against else ""
        scores = found["scores"].get(model, {})
        values = [f"{scores[name]:.4g}" if name in scores else "" for name in names]
        table.add_row(model, f"{auc:.4f}", f"{low:.4f} to {high:.4f}", apart, *values)
    console.print(table)
    for kind, gap in found.get("fairness", {}).items():
        console.print(f"gaps by {kind}: " + ", ".join(f"{name} {value:.3f}" for name, value in gap.items()))
    console.print("under disturbed input: " + ", ".join(f"{k} {v:.4f}" for k, v in found["robustness"].items()))
    for path in found.get("plots", []):
        console.print(f"plot: {path}", soft_wrap=True)


def _customer(row: "Row", number: int) -> str:
    return row.snapshot.customer if row.snapshot is not None else str(number)


def _online(bert: Any, cases: "Cases", asked: Asked) -> dict[str, "Array"]:
    """The online model and the ensemble, where there is an online model of the task."""
    from deploy.evaluate.progressive import TARGETS, progressive
    from deploy.progress import bars

    if asked.task not in TARGETS:
        return {}
    held = {row.snapshot.id for row in cases.held if row.snapshot is not None}
    rows = [*cases.train, *cases.late, *cases.test]
    tested = len(rows) - len(cases.test)
    fresh = [n for n, row in enumerate(rows) if n >= tested or (row.snapshot and row.snapshot.id in held)]
    answers: list[float | None] = [None] * len(rows)
    for n, answer in zip(fresh, bert.answer([rows[n] for n in fresh]), strict=True):
        answers[n] = float(answer)
    with bars(quiet=asked.quiet) as progress:
        task = progress.add_task("learning online", total=len(rows), words="")
        online, ensemble = progressive(
            rows, answers, asked.task, cases.horizon_days, lambda done: progress.advance(task, done)
        )
    return {"online": online[tested:], "ensemble": ensemble[tested:]}


def _ranked(told: dict[str, "Array"], labels: "Array", cases: "Cases", asked: Asked) -> dict[str, Any]:
    """ROC AUC, average precision, and their bootstraps by customer."""
    from inference.measures.bootstrap import compare
    from inference.measures.ranking import Ranking

    rankings = {name: Ranking(scores, labels) for name, scores in told.items()}
    customers = [_customer(row, n) for n, row in enumerate(cases.test)]
    aucs = {name: ranking.roc_auc for name, ranking in rankings.items()}
    against = "lightgbm" if "lightgbm" in told else "logistic"
    return {
        "auc": {name: ranking.roc_auc() for name, ranking in rankings.items()},
        "average_precision": {name: ranking.average_precision() for name, ranking in rankings.items()},
        "bootstrap": compare(aucs, against, customers, RESAMPLES, asked.seed),
    }


def _shares(told: dict[str, "Array"], cases: "Cases", asked: Asked) -> dict[str, Any]:
    from deploy.evaluate.slices import slices
    from inference.measures.groups import by_group, gaps
    from inference.measures.probability import brier, calibration_error, decided, log_loss, reliability

    labels = cases.test_labels
    probable = {name: scores for name, scores in told.items() if name != "recency"}
    scores = {
        name: {
            **decided(given, labels),
            "log_loss": log_loss(given, labels),
            "brier": brier(given, labels),
            "calibration_error": calibration_error(given, labels),
        }
        for name, given in probable.items()
    }
    served = told.get("ensemble", told["bert"])
    # The threshold that selects as many as there are.
    threshold = float(sorted(served)[-max(1, round(labels.sum()))])
    stories = all(row.snapshot is not None for row in cases.test)
    groups = {
        kind: by_group(served, labels, masks, threshold)
        for kind, masks in (slices(cases.test, asked.source) if stories else {}).items()
    }
    found = {
        **_ranked(told, labels, cases, asked),
        "share": float(labels.mean()),
        "scores": scores,
        "reliability": {name: reliability(given, labels) for name, given in probable.items()},
        "slices": groups,
        "fairness": {kind: gap for kind, of in groups.items() if (gap := gaps(of))},
    }
    if asked.plots is not None:
        from inference.measures.plots import draw

        found["plots"] = draw(asked.plots, asked.task, told, labels)
    return found


def _amounts(told: dict[str, "Array"], cases: "Cases", asked: Asked) -> dict[str, Any]:
    """Of amounts, the AUC tells how well those above the median are told from others."""
    import numpy as np

    from inference.measures.amount import errors

    spent = cases.test_labels
    above = (spent > np.median(spent)).astype(float)
    found = {
        **_ranked(told, above, cases, asked),
        "mean_spent": float(spent.mean()),
        "scores": {name: errors(given, spent) for name, given in told.items()},
    }
    if asked.plots is not None:
        from inference.measures.plots import draw_amounts

        # Of amounts, recency is what was spent in as many weeks before.
        named = {"spent before" if name == "recency" else name: given for name, given in told.items()}
        found["plots"] = draw_amounts(asked.plots, asked.task, named, spent)
    return found


def _robustness(bert: Any, cases: "Cases", asked: Asked) -> dict[str, float]:
    """BERT's ROC AUC under each disturbance, on the same cases as `undisturbed`."""
    import numpy as np
    from msgspec.structs import replace

    from deploy.evaluate.disturb import DISTURBANCES
    from inference.measures.ranking import Ranking

    chosen = sorted(random.Random(asked.seed).sample(range(len(cases.test)), min(DISTURBED, len(cases.test))))
    rows, labels = [cases.test[n] for n in chosen], cases.test_labels[chosen]
    wanted = (labels > np.median(labels)).astype(float) if asked.task == "value" else labels

    def auc(change: Callable[["Row", random.Random], "Row"]) -> float:
        chance = random.Random(asked.seed)
        return Ranking(bert.answer([change(row, chance) for row in rows]), wanted).roc_auc()

    found = {"undisturbed": auc(lambda row, _: row)}
    if all(row.snapshot is not None for row in rows):
        for name, disturb in DISTURBANCES.items():
            found[name] = auc(partial(_disturbed, disturb))
    else:
        found["shuffled"] = auc(lambda row, chance: replace(row, text=_shuffled(row.text or "", chance)))
        found["first_half"] = auc(lambda row, _: replace(row, text=(row.text or "")[: len(row.text or "") // 2]))
    return found


def _disturbed(disturb: Callable[["Snapshot", random.Random], "Snapshot"], row: "Row", chance: random.Random) -> "Row":
    from msgspec.structs import replace

    return row if row.snapshot is None else replace(row, snapshot=disturb(row.snapshot, chance))


def _shuffled(text: str, chance: random.Random) -> str:
    letters: Sequence[str] = chance.sample(text, len(text))
    return "".join(letters)
