from stream.sources.pace import Pace


def test_history_runs_at_the_chosen_speed() -> None:
    now = [100.0]
    pace = Pace(3600, lambda: now[0])
    assert pace.wait(1_000_000_000) == 0
    assert pace.wait(1_000_000_000 + 7_200_000) == 2.0
    now[0] = 101.5
    assert pace.wait(1_000_000_000 + 7_200_000) == 0.5
    now[0] = 110.0
    assert pace.wait(1_000_000_000 + 7_200_000) == 0


def test_max_never_waits() -> None:
    pace = Pace(None, lambda: 0.0)
    assert pace.wait(0) == pace.wait(10**15) == 0
