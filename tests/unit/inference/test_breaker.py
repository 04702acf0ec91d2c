"""The breaker, as a timeline of calls against a clock that the test moves."""

from inference.scorer import Breaker


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def now(breaker: Breaker) -> str:
    return breaker.state.value


def opened(clock: Clock, failures: int = 3) -> Breaker:
    breaker = Breaker(clock, failures=failures, pause_s=1.0, longest_s=4.0)
    for _ in range(failures):
        breaker.failed()
    return breaker


def test_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(Clock(), failures=3)
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    breaker.failed()
    assert now(breaker) == "closed"
    assert breaker.allows()
    breaker.failed()
    assert now(breaker) == "open"
    assert not breaker.allows()


def test_open_then_half_open_then_closed_by_a_probe() -> None:
    """closed --3 failures--> open --1 s--> half-open --probe answered--> closed."""
    clock = Clock()
    breaker = opened(clock)
    assert not breaker.probe()
    assert breaker.wait_s() == 1.0
    clock.now += 1.0
    assert now(breaker) == "half_open"
    assert not breaker.allows()
    assert breaker.probe()
    breaker.succeeded()
    assert now(breaker) == "closed"


def test_only_one_probe_at_a_time() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.0
    assert breaker.probe()
    assert not breaker.probe()


def test_the_pause_doubles_with_each_failed_probe_up_to_the_longest() -> None:
    clock = Clock()
    breaker = opened(clock)
    waits = []
    for _ in range(4):
        waits.append(breaker.wait_s())
        clock.now += breaker.wait_s()
        assert breaker.probe()
        breaker.failed()
    assert waits == [1.0, 2.0, 4.0, 4.0]


def test_the_pause_is_short_again_after_closing() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.0
    breaker.probe()
    breaker.failed()
    clock.now += 2.0
    breaker.probe()
    breaker.succeeded()
    for _ in range(3):
        breaker.failed()
    assert breaker.wait_s() == 1.0


def test_late_answers_to_earlier_calls_neither_close_nor_prolong() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 0.5
    breaker.succeeded()
    breaker.failed()
    assert now(breaker) == "open"
    assert breaker.wait_s() == 0.5


def test_after_closing_one_failure_does_not_open() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.0
    breaker.probe()
    breaker.succeeded()
    breaker.failed()
    assert now(breaker) == "closed"
