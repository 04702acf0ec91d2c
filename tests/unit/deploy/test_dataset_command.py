"""`footfall dataset`: what is made of reviews and of a log, and what is refused."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from deploy.cli import build
from inference.train.examples import COLUMNS, load

DAY_S = 86_400


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(build(), ["dataset", "--out", "made.parquet", "--json", *arguments])
    assert result.exit_code == 0, result.output
    told: dict[str, object] = json.loads(result.stdout)
    return told


def test_reviews(folder: Path) -> None:
    (folder / "ours.csv").write_text("label,review\n1,很好\n0,broken\n", encoding="utf-8")
    told = made("--source", "ours.csv")
    assert told["examples"] == 2
    assert told["labels"] == {"sentiment": {"known": 2, "mean": 0.5}}
    assert load([folder / "made.parquet"]).select("id", "text", "sentiment").rows() == [
        ("ours-0", "很好", True),
        ("ours-1", "broken", False),
    ]


def test_a_log(folder: Path) -> None:
    def order(customer: str, day: int) -> dict[str, object]:
        return {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"{customer}-{day}",
            "userId": customer,
            "timestamp": 1_600_000_000 + day * DAY_S,
            "properties": {
                "order_id": f"{customer}-{day}",
                "total": 12.5,
                "products": [{"product_id": "p", "price": 12.5, "quantity": 1}],
            },
        }

    log = [order("ann", 0), order("bob", 1), order("ann", 36), order("ann", 150)]
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, log)) + "\n")
    made("--source", "log.jsonl", "--every", "1000")
    table = pl.read_parquet(folder / "made.parquet")
    assert tuple(table.columns) == COLUMNS
    assert table.sort("customer").select("customer", "churn", "intent", "value").rows() == [
        ("ann", False, True, 12.5),
        ("bob", True, False, 0.0),
    ]


@pytest.mark.parametrize("arguments", [["--source", "missing.csv"], ["--source", "missing.jsonl"], ["--out", "x.csv"]])
def test_what_cannot_be_made_is_said_in_one_line(arguments: list[str]) -> None:
    result = CliRunner().invoke(build(), ["dataset", "--out", "made.parquet", *arguments])
    assert result.exit_code == 1
    assert "footfall: " in result.output
