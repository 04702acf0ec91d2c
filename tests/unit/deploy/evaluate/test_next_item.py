"""`evaluate --task next-item`: on sessions made here, of which it is known what can be learned."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from deploy.evaluate import next_item
from deploy.evaluate.asked import Asked
from schemas.errors import OperatorError


def write(path: Path, **parts: object) -> Path:
    path.write_text(json.dumps(parts))
    return path


def asked(path: Path, **changes: int) -> Asked:
    return Asked("next-item", "diginetica", path, quiet=True, limit=changes.get("limit"))


def test_a_rule_of_the_training_part_is_found_in_the_test_part(tmp_path: Path) -> None:
    training = [[100 + n % 5, n % 5, 50 + n % 5] for n in range(400)]
    path = write(
        tmp_path / "d.json", train_sessions=training, test_prefixes=[[100, 0], [1]] * 5, test_targets=[50, 51] * 5
    )
    found = next_item.measure(asked(path))
    assert (found["p20"], found["cases"], found["training_sessions"]) == (100.0, 10, 400)
    assert found["mrr20"] > 60
    assert found["choices_learned"] > 100
    assert next_item.measure(asked(path, limit=4))["cases"] == 4
    console = Console(width=100)
    with console.capture() as said:
        next_item.show(console, found)
    assert "GCE-GNN" in said.get()


def test_nothing_of_the_test_part_is_learned(tmp_path: Path) -> None:
    """Were a case learned after its answer, the second of these would know what the first was told."""
    path = write(
        tmp_path / "d.json", train_sessions=[[1, 2], [3, 4]] * 30, test_prefixes=[[1]] * 50, test_targets=[9] * 50
    )
    assert next_item.measure(asked(path))["p20"] == 0.0


@pytest.mark.parametrize("parts", [{}, {"train_sessions": [], "test_prefixes": [[1]], "test_targets": []}])
def test_another_file_is_refused(tmp_path: Path, parts: dict[str, object]) -> None:
    with pytest.raises(OperatorError, match="test_prefixes"):
        next_item.measure(asked(write(tmp_path / "d.json", **parts)))


def test_another_source_is_refused() -> None:
    with pytest.raises(OperatorError, match="--source diginetica"):
        next_item.measure(Asked("next-item", "taobao"))
