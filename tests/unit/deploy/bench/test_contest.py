"""Rounds and ratios of `footfall bench profile`, and its work on a single profile."""

import io
import json

import pytest
from rich.console import Console

from deploy.bench.contenders import CONTENDERS, NAMES
from deploy.bench.contest import Found, Plan, rotated, summary
from deploy.bench.events import events
from deploy.bench.fill import Filled
from deploy.bench.job import Job, Marks
from deploy.bench.show import contest_table
from deploy.bench.turn import Speed
from deploy.bench.work import Work
from schemas.errors import OperatorError
from schemas.outputs import Snapshot
from stream.features.codec import decode_profile


def found() -> Found:
    # The second round met a busy machine: both were slower, and the ratio is what it was.
    rounds = [(100.0, 50.0), (10.0, 5.0), (120.0, 40.0)]
    return Found(
        Filled(total=10, size=4_000),
        {"state": [{"footfall": Speed(ours, 20.0), "quix": Speed(theirs, 40.0)} for ours, theirs in rounds]},
    )


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    result = summary(Plan(names=("footfall", "quix"), modes=("state",)), found())
    assert result["events_per_s"] == {"footfall": 100, "quix": 40}
    assert result["ratio"] == {"quix": 2.0}
    assert result["rounds"] == 3
    shown = io.StringIO()
    Console(file=shown, width=100).print(contest_table(result))
    assert "2.00 times" in shown.getvalue()


def test_everyone_is_first_in_turn() -> None:
    firsts = [rotated(CONTENDERS, number)[0].name for number in range(len(CONTENDERS))]
    assert firsts == list(NAMES)
    assert sorted(c.name for c in rotated(CONTENDERS, 3)) == sorted(NAMES)


def test_who_is_not_there_is_named() -> None:
    with pytest.raises(OperatorError, match="flink"):
        Plan(names=("footfall", "flink"))


def test_marks_are_said_once_each_and_the_last_record_asks_for_a_commit(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[int] = []
    marks = Marks(3, lambda: asked.append(1))
    for count in (1, 2):
        marks.begin()
        assert not asked
        marks.done(count)
    said = [json.loads(line)["mark"] for line in capsys.readouterr().out.splitlines()]
    assert said == ["first", "last"]
    assert asked == [1]


def test_a_job_survives_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("b:1", "long-", "g", 7, 4, True, "/tmp/x")
    monkeypatch.setattr("sys.argv", ["program", job.argument()])
    assert Job.given() == job


@pytest.mark.parametrize("outputs", [False, True])
def test_the_others_keep_the_same_profiles(outputs: bool) -> None:
    work = Work(outputs=outputs)
    filled = Filled()
    states: dict[str, bytes] = {}
    told = []
    for offset, event in enumerate(events(2_000, customers=100)):
        filled.add(event.value, "USD")
        key = (event.key or b"").decode()
        source = int(event.topic == "orders")
        states[key], records = work.on_bytes(event.value, states.get(key), source, offset, event.at)
        told += records
    profiles = [decode_profile(state) for state in states.values()]
    assert len(profiles) == filled.customers
    assert sum(profile.events for profile in profiles) == filled.distinct
    assert any(isinstance(record, Snapshot) for record in told) == outputs
