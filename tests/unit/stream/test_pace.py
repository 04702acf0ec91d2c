"""The batch size follows the server's rate."""

from hypothesis import given
from hypothesis import strategies as st

from stream.pace import SMALLEST, TARGET_S, Pace


@given(st.floats(0.1, 5000), st.integers(1, 64))
def test_after_enough_answers_a_call_takes_about_the_target(rate: float, largest: int) -> None:
    pace = Pace(largest)
    for _ in range(40):
        pace.answered(pace.batch, pace.batch / rate)
    assert SMALLEST <= pace.batch <= max(SMALLEST, largest)
    if SMALLEST < pace.batch < largest:
        assert 0.5 * TARGET_S < pace.batch / rate < 1.5 * TARGET_S


def test_a_failure_begins_again_with_the_smallest_batch() -> None:
    pace = Pace(32)
    pace.answered(4, 0.001)
    assert pace.batch == 32
    pace.failed()
    assert pace.batch == SMALLEST
