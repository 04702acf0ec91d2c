"""Laws of alignment: however topics are cut into runs and fetched, their records leave as one line of time."""

import math
from collections.abc import Sequence
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from stream.features.align import LIVE_MS, SETTLED_S, Aligner

PATIENCE = 1.0
HISTORY = 10 * LIVE_MS
Item = tuple[int, int]

# Times as they stand in a topic: mostly rising, some late.
streams = st.lists(st.lists(st.integers(0, 30), max_size=25), min_size=2, max_size=3)


def merged(sources: list[list[int]], clock: int = 0) -> list[Item]:
    """(source, index) of all records, by the newest time so far of their source."""
    keys = [
        (newest, source, index)
        for source, times in enumerate(sources)
        for index, newest in enumerate(accumulate(times, max, initial=clock))
        if index > 0
    ]
    return [(source, index - 1) for _, source, index in sorted(keys)]


def entries(
    source: int, times: list[int], first: int = 0, last: int | None = None, arrived: int = HISTORY
) -> tuple[list[int], list[int], list[Item]]:
    """Times, arrivals and items of the records from `first` to before `last`."""
    run = times[first:last]
    return run, [arrived] * len(run), [(source, index) for index in range(first, first + len(run))]


def left(aligner: Aligner[Item], ends: Sequence[float | None], most: int = 1_000) -> list[Item]:
    return [item for _, batch in aligner.release(ends, most) for item in batch]


@given(streams, st.data())
def test_however_runs_are_cut_and_come_the_output_is_the_merge(sources: list[list[int]], data: st.DataObject) -> None:
    aligner: Aligner[Item] = Aligner(len(sources), PATIENCE)
    read = [0] * len(sources)
    out: list[Item] = []

    def ends() -> list[float | None]:
        return [math.inf if read[n] == len(times) else None for n, times in enumerate(sources)]

    while None in ends():
        source = data.draw(st.sampled_from([n for n, end in enumerate(ends()) if end is None]))
        run = entries(source, sources[source], read[source], read[source] + data.draw(st.integers(1, 9)))
        read[source] += len(run[0])
        aligner.add(source, *run, 0, 0.0)
        out += left(aligner, ends(), data.draw(st.integers(1, 12)))
        assert len(aligner) == sum(read) - len(out)
    out += left(aligner, ends())
    assert out == merged(sources)
    assert len(aligner) == 0


@given(streams, st.data())
def test_read_again_from_anywhere_before_the_rest_leaves_as_it_would_have(
    sources: list[list[int]], data: st.DataObject
) -> None:
    whole = merged(sources)
    done = whole[: data.draw(st.integers(0, len(whole)))]
    clock = max((sources[source][index] for source, index in done), default=0)
    aligner: Aligner[Item] = Aligner(len(sources), PATIENCE)
    for source, times in enumerate(sources):
        start = data.draw(st.integers(0, sum(1 for item in done if item[0] == source)))
        aligner.add(source, *entries(source, times, start), clock, 0.0)
    again = [item for item in left(aligner, [math.inf] * len(sources)) if item not in done]
    assert again == whole[len(done) :]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=25), st.integers(0, 1))
def test_what_is_live_waits_for_no_topic_that_is_read_to_its_end(times: list[int], source: int) -> None:
    aligner: Aligner[Item] = Aligner(2, PATIENCE)
    aligner.add(source, *entries(source, times, arrived=LIVE_MS - 1), 0, received=100.0)
    assert left(aligner, [None, None]) == []
    assert left(aligner, [50.0, 50.0]) == [(source, index) for index in range(len(times))]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=25), st.integers(0, 1))
def test_history_waits_until_the_other_topics_end_has_stood_for_a_while(times: list[int], source: int) -> None:
    aligner: Aligner[Item] = Aligner(2, PATIENCE)
    aligner.add(source, *entries(source, times), 0, received=100.0)
    assert left(aligner, [100.0 + PATIENCE * 0.9] * 2) == []
    assert len(left(aligner, [100.0 + PATIENCE] * 2)) == len(times)


def test_history_that_arrived_long_ago_waits_no_longer_than_to_the_others_end() -> None:
    aligner: Aligner[Item] = Aligner(2, PATIENCE)
    aligner.add(0, *entries(0, [1, 2]), 0, received=HISTORY / 1000 + SETTLED_S)
    assert left(aligner, [None, None]) == []
    assert len(left(aligner, [None, HISTORY / 1000 + SETTLED_S])) == 2


def test_what_is_live_waits_behind_the_history_of_its_own_topic() -> None:
    aligner: Aligner[str] = Aligner(2, PATIENCE)
    now = HISTORY
    aligner.add(0, [now, 1], [now, now], ["live", "sent late by a phone that was away"], 0, 100.0)
    aligner.add(1, [1, now], [now, now], ["history", "an order"], 0, 100.0)
    batches = list(aligner.release([None, None], 10))
    # The other topic has more to come, which may be as old as the order.
    assert batches == [(1, ["history"]), (0, ["live", "sent late by a phone that was away"])]
    assert (aligner.count(1), aligner.head(1), aligner.head(0)) == (1, "an order", None)
    assert list(aligner.release([100.0, None], 10)) == [(1, ["an order"])]
