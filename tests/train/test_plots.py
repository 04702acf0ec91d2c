"""Plots are written, of each model what can be drawn of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.measures import plots

CHANCE = np.random.default_rng(1)
LABELS = (CHANCE.random(400) < 0.3).astype(float)
SPENT = CHANCE.exponential(50.0, 400)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The lines of each plot, by its file's name."""
    found: dict[str, Any] = {}
    real = plots._plot

    def plot(path: Path, title: str, say: tuple[str, str], lines: Any, *rest: Any, **how: Any) -> str:
        found[path.name] = lines
        return real(path, title, say, lines, *rest, **how)

    monkeypatch.setattr(plots, "_plot", plot)
    return found


def test_what_is_no_probability_has_no_reliability(tmp_path: Path, drawn: dict[str, Any]) -> None:
    given = {"bert": 0.2 + 0.6 * LABELS, "recency": 100 * CHANCE.random(400)}
    paths = plots.draw(tmp_path / "new", "churn", given, LABELS)
    assert [Path(path).name for path in paths] == [
        "churn-roc.png",
        "churn-precision-recall.png",
        "churn-reliability.png",
    ]
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in paths)
    assert list(drawn["churn-roc.png"]) == list(drawn["churn-precision-recall.png"]) == ["bert", "recency"]
    assert list(drawn["churn-reliability.png"]) == ["bert"]


def test_amounts_are_drawn_too(tmp_path: Path, drawn: dict[str, Any]) -> None:
    paths = plots.draw_amounts(tmp_path, "value", {"bert": SPENT * 2, "bg_nbd": SPENT}, SPENT)
    assert [Path(path).name for path in paths] == ["value-roc.png", "value-reliability.png"]
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in paths)
    expected, spent = drawn["value-reliability.png"]["bert"]
    assert expected == pytest.approx([2 * amount for amount in spent])
    assert sum(expected) / 10 == pytest.approx(2 * SPENT.mean(), rel=1e-6)
