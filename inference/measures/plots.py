"""Plots of probabilities: ROC, precision and recall, reliability. The only place that imports matplotlib."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inference.measures.probability import reliability
from inference.measures.ranking import Array, Ranking


def draw(folder: Path, task: str, given: Mapping[str, Array], labels: Array) -> list[str]:
    """Write `TASK-roc.png`, `TASK-precision-recall.png` and `TASK-reliability.png`; gives their paths."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    curves = {name: Ranking(scores, labels).curve() for name, scores in given.items()}
    lines: dict[str, tuple[str, str, dict[str, Any]]] = {
        "roc": ("false positive rate", "true positive rate", {n: (f, t) for n, (f, t, _) in curves.items()}),
        "precision-recall": ("recall", "precision", {n: (t, p) for n, (_, t, p) in curves.items()}),
        "reliability": (
            "predicted",
            "observed",
            {
                n: tuple(zip(*reliability(s, labels), strict=True))[:2]
                for n, s in given.items()
                if s.min() >= 0 and s.max() <= 1
            },
        ),
    }
    paths = []
    for kind, (across, up, drawn) in lines.items():
        figure, axes = plt.subplots(figsize=(5, 5))
        for name, (x, y) in drawn.items():
            axes.plot(x, y, label=name, marker="o" if kind == "reliability" else None)
        if kind != "precision-recall":
            axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
        axes.set(xlabel=across, ylabel=up, title=f"{task}: {kind.replace('-', ' ')}", xlim=(0, 1), ylim=(0, 1))
        axes.legend()
        path = folder / f"{task}-{kind}.png"
        figure.savefig(path, dpi=120, bbox_inches="tight")
        plt.close(figure)
        paths.append(str(path))
    return paths


def _reliability(scores: Array, labels: Array) -> tuple[list[float], list[float]]:
    found = reliability(scores, labels)
    return [said for said, _, _ in found], [seen for _, seen, _ in found]
