"""What occurs, numbered without sorting, is what sorting finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from online.recommend.numbering import Numbering

LIMIT = 12


@given(st.lists(st.lists(st.integers(-1, LIMIT - 1), max_size=40), min_size=1, max_size=4))
def test_each_value_has_one_number_whatever_was_numbered_before(asked: list[list[int]]) -> None:
    numbering = Numbering()
    for values in asked:
        given_values = np.array(values, np.int64)
        different, place = numbering.number(given_values, LIMIT)
        assert sorted(different.tolist()) == sorted(set(values))
        assert different[place].tolist() == values
