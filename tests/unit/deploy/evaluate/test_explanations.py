"""What is made of the judged explanations: means, paired intervals, sentences; and what cannot be measured."""

import pytest
from rich.console import Console

from deploy.evaluate.asked import Asked
from deploy.evaluate.explanations import NAMES, measure, show, summary
from schemas.errors import OperatorError


def row(**given: float) -> dict[str, float]:
    """One judged explanation, of which nothing fell but what is given."""
    return {**dict.fromkeys(NAMES, 0.0), **given}


def test_the_interval_is_of_the_paired_difference() -> None:
    rows = [row(top=1.0 + n, random=float(n), random_alone=0.5, top_swapped=3.0, random_swapped=1.0) for n in range(20)]
    found = summary(rows, 7)
    assert (found["top"], found["random"], found["comprehensiveness"]) == (10.5, 9.5, 1.0)
    assert found["interval"] == [1.0, 1.0]
    assert found["sufficiency"] == 0.5
    assert found["swapped"] == {"top": 3.0, "random": 1.0, "interval": [2.0, 2.0]}


def test_reasons_that_are_none_are_seen() -> None:
    rows = [row(top=(-1.0) ** n, top_swapped=(-1.0) ** n) for n in range(40)]
    found = summary(rows, 7)
    for low, high in (found["interval"], found["swapped"]["interval"]):
        assert low < 0 < high


def test_sentences() -> None:
    told = summary([row(top=0.9, random=0.1, random_alone=0.5, top_swapped=1.2)], 7)
    console = Console(record=True, width=200)
    show(console, {"cases": 1, "texts": 18.0, "churn": told, "intent": told, "ms": {"p50": 80.0, "p99": 120.0}})
    assert "churn: without its top 3 reasons the log odds fall by 0.90, without 3 random ones by 0.10" in (
        console.export_text()
    )


def test_another_source_is_refused() -> None:
    with pytest.raises(OperatorError, match="completejourney"):
        measure(Asked("explanations", "taobao"))
