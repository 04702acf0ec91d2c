import random
from pathlib import Path

import pytest

from schemas.errors import OperatorError
from stream.sources import position
from stream.sources.position import Acknowledged


def test_the_position_waits_for_the_slowest_partition() -> None:
    run = Acknowledged(10)
    for number in (12, 11, 14):
        run.add(number)
    assert run.position == 10
    run.add(10)
    assert run.position == 13


def test_any_order_of_acknowledgements_ends_at_the_end() -> None:
    numbers = list(range(500))
    random.Random(3).shuffle(numbers)
    run = Acknowledged()
    seen = []
    for number in numbers:
        run.add(number)
        seen.append(run.position)
    assert seen == sorted(seen)
    assert run.position == 500


def test_saved_and_loaded(tmp_path: Path) -> None:
    path = position.path_of(tmp_path, "taobao")
    assert position.load(path, "c1", "") == 0
    position.save(path, "c1", "", 42)
    assert position.load(path, "c1", "") == 42


def test_another_cluster_or_prefix_begins_anew(tmp_path: Path) -> None:
    path = position.path_of(tmp_path, "taobao")
    position.save(path, "c1", "a-", 42)
    assert position.load(path, "c2", "a-") == 0
    assert position.load(path, "c1", "b-") == 0


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = position.path_of(tmp_path, "taobao")
    path.parent.mkdir()
    path.write_text("{")
    with pytest.raises(OperatorError, match="delete it"):
        position.load(path, "c1", "")
