"""Laws of the lists that wait: what came of each is the same when the log is read again, from a snapshot anywhere."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from online.recommend import state
from online.recommend.lists import WINDOW_MS
from online.recommend.sources import SOURCES
from schemas.behaviours import Behaviour
from schemas.outputs import Interaction, Shown, encode
from stream.recommender.items import Items
from stream.recommender.snapshot import Parts, cut

T0 = 1_700_000_000_000
ITEMS = [f"i{n}" for n in range(6)]


@dataclass(frozen=True)
class Record:
    """A record of one of two partitions of `interactions`."""

    number: int
    place: int
    said: Interaction | None
    customer: str

    def key(self) -> bytes:
        return self.customer.encode()

    def value(self) -> bytes | None:
        return None if self.said is None else encode(self.said)

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.place


@st.composite
def make_log(draw: st.DrawFn) -> list[Record]:
    """Lists, choices and, seldom, an erasure; times go on in each partition, by half a window at most."""
    log: list[Record] = []
    clocks, ends = [T0, T0], [0, 0]
    for _ in range(draw(st.integers(0, 40))):
        number = draw(st.integers(0, 1))
        customer = f"c{number}-{draw(st.integers(0, 2))}"
        clocks[number] += draw(st.integers(0, WINDOW_MS // 2))
        kind = draw(st.sampled_from("llvvvve"))
        said = None if kind == "e" else told(draw, kind, customer, clocks[number])
        log.append(Record(number, ends[number], said, customer))
        ends[number] += 1
    return log


def told(draw: st.DrawFn, kind: str, customer: str, at: int) -> Interaction:
    if kind == "v":
        item = draw(st.sampled_from(ITEMS))
        return Interaction(customer=customer, session=T0, item=item, behaviour=Behaviour.VIEW, at=at)
    items = draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4, unique=True))
    sources = draw(st.lists(st.sampled_from(SOURCES), min_size=len(items), max_size=len(items)))
    shown = Shown(
        decision_id="d", items=items, sources=sources, lead=sources[0], propensity=1.0, who=[1.0, 0.5, 0.0, 1.0, 0.0]
    )
    return Interaction(customer=customer, session=0, item="", behaviour=Behaviour.OTHER, at=at, shown=shown)


def followed(log: list[Record], items: Items | None = None) -> Items:
    items = items or Items()
    for record in log:
        items.accept(record)
    return items


def restarted(items: Items) -> Items:
    parts, found = Parts(), Items()
    for key, value in cut(state.dump(items.index, customers=False), 1, items.offsets, T0):
        parts.accept(key, value)
    found.restore(parts)
    return found


@settings(max_examples=60)
@given(make_log(), st.integers(0, 40), st.integers(0, 40))
def test_a_restart_anywhere_learns_the_same_of_every_list(log: list[Record], first: int, second: int) -> None:
    whole = followed(log)
    again = followed(log, restarted(followed(log[:first])))
    twice = followed(log, restarted(followed(log[:second], restarted(followed(log[: min(first, second)])))))
    for other in (again, twice):
        bandit = other.index.bandit
        assert (bandit.lists, bandit.successes) == (whole.index.bandit.lists, whole.index.bandit.successes)
        assert all(np.array_equal(a, b) for a, b in zip(bandit.dump(), whole.index.bandit.dump(), strict=True))
        assert other.index.lists.dump() == whole.index.lists.dump()


@settings(max_examples=60)
@given(make_log())
def test_partitions_may_be_read_in_any_order_beside_each_other(log: list[Record]) -> None:
    """As when a process catches up: each partition in its own order, one far ahead of the other."""
    apart = [record for number in (1, 0) for record in log if record.number == number]
    mixed, other = followed(log).index, followed(apart).index
    assert (mixed.bandit.lists, mixed.bandit.successes) == (other.bandit.lists, other.bandit.successes)
    assert sorted(w.until for w in mixed.lists.dump()[0]) == sorted(w.until for w in other.lists.dump()[0])
