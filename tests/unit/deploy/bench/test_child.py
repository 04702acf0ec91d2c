"""Processes that benchmarks start: heard while they run, explained when they fail, gone at the end."""

import sys
from pathlib import Path

import psutil
import pytest

from deploy.bench.child import child
from schemas.errors import OperatorError

TALKER = """
import time
print("no end of line", end="")
for number, mark in enumerate(("first", "last")):
    print('{"mark": "%s", "at": %d, "cpu": 0.5}' % (mark, number), flush=True)
time.sleep(60)
"""


async def test_its_marks_are_heard_and_it_is_gone_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "talker.py").write_text(TALKER)
    path = {"PYTHONPATH": str(tmp_path)}
    async with child("talker", ("talker",), tmp_path / "out", env=path) as running:
        marks = await running.marks()
        assert psutil.pid_exists(running.process.pid)
    assert {mark: said["at"] for mark, said in marks.items()} == {"first": 0, "last": 1}
    assert not psutil.pid_exists(running.process.pid)


async def test_why_it_failed_is_the_last_that_it_wrote(tmp_path: Path) -> None:
    async with child("reader", ("json.tool", str(tmp_path / "nothing")), tmp_path, python=sys.executable) as running:
        with pytest.raises(OperatorError, match=r"reader did not finish: .*nothing"):
            await running.marks()
