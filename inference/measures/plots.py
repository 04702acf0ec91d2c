"""Plots of probabilities and amounts: ROC, precision and recall, reliability. Nothing else imports matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from inference.measures.probability import reliability
from inference.measures.ranking import Array, Ranking

Line = tuple[Sequence[float] | Array, Sequence[float] | Array]
DIAGONAL: Final = ([0.0, 1.0], [0.0, 1.0], "by chance")


def draw(folder: Path, task: str, given: Mapping[str, Array], labels: Array) -> list[str]:
    """Write `TASK-roc.png`, `TASK-precision-recall.png` and `TASK-reliability.png`; gives their paths.

    What is no probability (recency) has a place in the first two only.
    """
    curves = {name: Ranking(scores, labels).curve() for name, scores in given.items()}
    probable = {name: scores for name, scores in given.items() if scores.min() >= 0 and scores.max() <= 1}
    share = float(labels.mean())
    return [
        _plot(
            folder / f"{task}-roc.png",
            f"{task}: ROC",
            ("false positive rate", "true positive rate"),
            {name: (false, true) for name, (false, true, _) in curves.items()},
            DIAGONAL,
        ),
        _plot(
            folder / f"{task}-precision-recall.png",
            f"{task}: precision and recall",
            ("recall", "precision"),
            {name: (true, precision) for name, (_, true, precision) in curves.items()},
            ([0.0, 1.0], [share, share], "by chance"),
        ),
        _plot(
            folder / f"{task}-reliability.png",
            f"{task}: reliability",
            ("predicted probability", "observed share"),
            {name: _points(reliability(scores, labels)) for name, scores in probable.items()},
            ([0.0, 1.0], [0.0, 1.0], "as predicted"),
            marker="o",
        ),
    ]


def draw_amounts(folder: Path, task: str, given: Mapping[str, Array], spent: Array) -> list[str]:
    """Write `TASK-roc.png` (of amounts above the median) and `TASK-reliability.png` (mean amounts by tenth)."""
    above = (spent > np.median(spent)).astype(float)
    curves = {name: Ranking(expected, above).curve() for name, expected in given.items()}
    tenths = {name: _points(reliability(expected, spent)) for name, expected in given.items()}
    most = 1.05 * max(max(x[-1], *y) for x, y in tenths.values())
    return [
        _plot(
            folder / f"{task}-roc.png",
            f"{task}: ROC of amounts above the median",
            ("false positive rate", "true positive rate"),
            {name: (false, true) for name, (false, true, _) in curves.items()},
            DIAGONAL,
        ),
        _plot(
            folder / f"{task}-reliability.png",
            f"{task}: mean of each tenth, in the main unit",
            ("expected", "spent"),
            tenths,
            ([0.0, most], [0.0, most], "as expected"),
            most=most,
            marker="o",
        ),
    ]


def _plot(
    path: Path,
    title: str,
    axes_say: tuple[str, str],
    lines: Mapping[str, Line],
    beside: tuple[Sequence[float], Sequence[float], str],
    *,
    most: float = 1.0,
    marker: str | None = None,
) -> str:
    """Write one plot: a line a model, and a dotted one to compare with. The legend stands beside, over nothing."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(6.5, 5))
    # A dot on the rim is drawn whole.
    for name, (x, y) in lines.items():
        axes.plot(x, y, label=name, marker=marker, markersize=4, clip_on=marker is None)
    x, y, name = beside
    axes.plot(x, y, color="grey", linestyle=":", label=name)
    axes.set(xlabel=axes_say[0], ylabel=axes_say[1], title=title, xlim=(0, most), ylim=(0, most))
    axes.set_aspect("equal")
    axes.grid(alpha=0.25)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(figure)
    return str(path)


def _points(found: Sequence[tuple[float, float, int]]) -> Line:
    return [said for said, _, _ in found], [seen for _, seen, _ in found]
