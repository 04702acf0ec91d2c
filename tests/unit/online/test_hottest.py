"""The hottest of many, remembered between touches, are those that sorting all of them gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online.recommend.hottest import Hottest

SLOTS = 30
Touches = st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(0, 3)), max_size=120)


@given(Touches, st.integers(1, 6), st.sets(st.integers(0, 119)), st.integers(0, 119))
def test_whatever_is_touched_and_whenever_one_asks(
    touches: list[tuple[int, int]], n: int, asked: set[int], rescaled: int
) -> None:
    hot = np.zeros(SLOTS)
    hottest = Hottest(n, lambda: np.flatnonzero(hot > 0.0))
    for number, (slot, more) in enumerate(touches):
        if number == rescaled:
            hot *= 0.5
            hottest.forget()
        hot[slot] += more
        if more:
            hottest.touched(slot, float(hot[slot]))
        if number in asked:
            wanted = [s for s in sorted(range(SLOTS), key=lambda s: (-hot[s], s)) if hot[s] > 0.0][:n]
            assert hottest.best(hot).tolist() == wanted
