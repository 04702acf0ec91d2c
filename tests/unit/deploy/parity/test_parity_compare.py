"""What counts as a difference."""

from typing import Any

import polars as pl
import pytest

from deploy.parity.compare import Result
from schemas.features import NAMES


def frame(**values: Any) -> pl.DataFrame:
    row = {"ask": 0, "customer": "ann", "now": 5} | dict.fromkeys(NAMES, 1.0) | values
    return pl.DataFrame([row], schema_overrides=dict.fromkeys(NAMES, pl.Float64))


def differing(engine: dict[str, Any], oracle: dict[str, Any]) -> list[str]:
    result = Result()
    result.add(frame(**engine).drop("now"), frame(**oracle))
    assert result.compared == len(NAMES)
    return list(result.by_feature)


@pytest.mark.parametrize(
    ("name", "engine", "oracle", "differs"),
    [
        ("spend_total", 100.0, 100.0 + 1e-8, False),
        ("spend_total", 100.0, 100.0 + 1e-6, True),
        ("spend_total", 0.0, 0.01, True),
        ("gap_std_days", 0.0, 1e-15, False),
        ("views_1h", 1e12, 1e12 + 1, True),
        ("views_1h", 3.0, 3.0, False),
        ("rating_mean", None, None, False),
        ("rating_mean", None, 0.0, True),
        ("rating_mean", 0.0, None, True),
        ("orders_total", None, 0.0, True),
        ("rating_mean", float("nan"), float("nan"), True),
        ("overdue", float("inf"), 1.0, True),
    ],
)
def test_counts_exactly_the_rest_to_a_billionth(name: str, engine: Any, oracle: Any, differs: bool) -> None:
    assert differing({name: engine}, {name: oracle}) == ([name] if differs else [])


def test_mismatches_add_up_and_the_first_is_the_example() -> None:
    result = Result()
    for value in (2.0, 3.0):
        result.add(frame(hour=value).drop("now"), frame())
    assert result.as_dict() == {
        "customers": 1,
        "features": len(NAMES),
        "compared": 2 * len(NAMES),
        "mismatches": 2,
        "by_feature": {
            "hour": {"mismatches": 2, "example": {"customer": "ann", "cutoff": 5, "engine": 2.0, "oracle": 1.0}}
        },
    }
