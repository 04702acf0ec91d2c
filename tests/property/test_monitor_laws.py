"""Monitors that are written down and read again, anywhere, tell what one that never stopped tells."""

import json
import random
import statistics

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import online.shift
from online.adwin import Adwin
from online.drift import Drift
from online.shift import Shift, Shifts
from schemas.features import DAY_MS
from schemas.outputs import Features
from tests.unit.online.test_learner_state import make_example
from tests.unit.online.test_shift import DAY, customer

cuts = st.lists(st.integers(0, 2_000), max_size=4)
levels = st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), min_size=1, max_size=6)


def stream(seed: int, parts: list[tuple[int, float]]) -> list[float]:
    """Losses of one level after another, with noise."""
    rng = random.Random(seed)
    return [level + rng.random() for count, level in parts for _ in range(count)]


@given(levels, cuts, st.integers(0, 9))
def test_an_adwin_that_is_kept_tells_the_same_changes(parts: list[tuple[int, float]], at: list[int], seed: int) -> None:
    whole, kept = Adwin(), Adwin()
    for n, value in enumerate(stream(seed, parts)):
        if n in at:
            kept = Adwin.load(json.loads(json.dumps(kept.dump())))
        assert kept.update(value) == whole.update(value)
    assert kept.dump() == whole.dump()


@given(levels, st.integers(0, 9))
def test_what_an_adwin_holds_are_the_newest_values(parts: list[tuple[int, float]], seed: int) -> None:
    adwin, values = Adwin(), stream(seed, parts)
    for value in values:
        adwin.update(value)
    newest = values[-len(adwin) :]
    state = adwin.dump()
    assert 0 < len(adwin) <= len(values)
    assert state["sum"] == pytest.approx(sum(newest))
    assert state["spread"] == pytest.approx(statistics.pvariance(newest) * len(newest), abs=1e-6)
    # A few numbers however many values: at most so many buckets of each size.
    assert all(len(row) <= 5 for row in state["rows"])
    assert len(state["rows"]) <= len(values).bit_length()


@pytest.mark.parametrize("seed", range(3))
def test_an_adwin_tells_a_change_soon_and_none_where_there_is_none(seed: int) -> None:
    adwin = Adwin()
    assert not any(adwin.update(value) for value in stream(seed, [(5_000, 0.0)]))
    told = [n for n, value in enumerate(stream(seed + 9, [(600, 0.5)])) if adwin.update(value)]
    assert told
    assert told[0] < 200
    assert len(adwin) < 2_000


@pytest.mark.parametrize(
    "broken",
    [
        None, [], {"ticks": 1}, {"ticks": 1, "rows": [], "sum": 0.0, "spread": 0.0},
        {"ticks": 1, "rows": [[[1.0, 0.0]] * 6], "sum": 6.0, "spread": 0.0},
        {"ticks": 1, "rows": [[[float("inf"), 0.0]]], "sum": 1.0, "spread": 0.0},
        {"ticks": 1, "rows": [[[1.0]]], "sum": 1.0, "spread": 0.0},
        {"ticks": 1, "rows": [[]] * 65, "sum": 1.0, "spread": 0.0},
    ],
)  # fmt: skip
def test_what_is_no_state_of_an_adwin_is_refused(broken: object) -> None:
    with pytest.raises(ValueError, match="not an ADWIN's state"):
        Adwin.load(broken)


def test_a_detector_of_an_older_snapshot_goes_on_from_its_losses() -> None:
    losses = [0.3] * 40
    drift = Drift.load(3, losses)
    assert drift.detections == 3
    assert drift.dump()["window"]["ticks"] == 40
    again = Drift.load(json.loads(json.dumps(drift.dump())))
    for one in (drift, again):
        one.learn_one(make_example(True, 0.5))
    assert again.dump() == drift.dump()


def year(seed: int, days: int, shift: int) -> list[tuple[Features, int]]:
    rng = random.Random(seed)
    return [
        (customer(rng, prices=3.0 if day >= shift else 1.0), day * DAY_MS + n * (DAY_MS // DAY))
        for day in range(days)
        for n in range(DAY)
    ]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 16 * DAY), max_size=5), st.integers(0, 3))
def test_a_shift_monitor_that_is_kept_tells_the_same_shifts(at: list[int], seed: int) -> None:
    whole, kept = Shifts(), Shifts()
    told: list[Shift] = []
    for n, (values, when) in enumerate(year(seed, 16, 10)):
        if n in at:
            kept = Shifts.load(msgspec.msgpack.decode(msgspec.msgpack.encode(kept.dump())))
        found = kept.learn_one(values, when)
        assert found == whole.learn_one(values, when)
        told += found
    assert any(shift.alarm for shift in told)


@pytest.mark.parametrize("change", [{"now": [0.0]}, {"followed": []}, {"edges": [2.0, 1.0]}, {"first": [0.0] * 2_000}])
def test_what_is_no_state_of_a_shift_monitor_is_refused(change: dict[str, object]) -> None:
    shifts = Shifts()
    for values, when in year(0, 2, 9):
        shifts.learn_one(values, when)
    state = shifts.dump()
    state["features"]["spend_30d"] |= change
    with pytest.raises(ValueError, match="not a shift monitor's state"):
        Shifts.load(state)
    with pytest.raises(ValueError, match="not a shift monitor's state"):
        Shifts.load({"began": 0})


def test_the_state_of_a_monitor_is_bounded() -> None:
    shifts = Shifts()
    sizes = []
    for day in range(60):
        for n in range(DAY):
            shifts.learn_one({"spend_30d": float(n), "orders_30d": None}, day * DAY_MS + n * (DAY_MS // DAY))
        sizes.append(len(msgspec.msgpack.encode(shifts.dump())))
    assert shifts.windows == 59
    assert sizes[-1] <= max(sizes[:30])
    assert max(sizes) < online.shift.FIRST * 9 * 2
