"""Erasure through the stages: in its turn, told on, and forgotten by whoever keeps something of the customer."""

from collections.abc import Callable
from typing import Any

from online.index import ItemIndex
from online.said import Said, encode_said
from schemas.behaviours import Behaviour
from schemas.merges import Erase, Forget, decode_merge
from schemas.outputs import Interaction, encode
from stream.features.marker import MARKER
from stream.kafka.transport import Run
from stream.settings import Settings
from stream.stages.erasure import Progress
from stream.stages.learn import LearnPartition
from stream.stages.models import Models
from stream.stages.profile import ProfilePartition
from stream.stages.score import ScorePartition
from tests.unit.stream.stages.test_identity_stage import AT, USER, viewed
from tests.unit.stream.stages.test_label_learn import a_score, bought, partition

DEVICE = "some-device"


def erase(*after: int) -> bytes:
    return encode(Erase(customer=USER, at=AT, request="r", after=list(after)))


async def test_an_erasure_waits_for_what_had_arrived_before_it_and_its_run_with_it(
    run: Callable[..., Run], out: Any
) -> None:
    ends: list[float | None] = [None, None, None]
    state = ProfilePartition(2, Settings(partitions=4), lambda: ends)
    await state.process(run(erase(2, 0), topic="merges", first=5), out)
    held = state.waiting()["merges"]
    assert (held.records, held.first) == (1, 5)
    # The second event had arrived by then; the third is of later.
    events = run(viewed("1", user=USER), viewed("2", user=USER), viewed("3", user=USER, at=AT + 1))
    await state.process(events, out)
    assert state.waiting()["clickstream"].records == 3
    assert out.on("features") == []
    ends[:] = [float("inf")] * 3
    state.release(out)
    assert state.waiting() == {}
    assert [(sent.key, sent.value) for sent in out.on("interactions")][-1] == (USER.encode(), None)
    assert [(sent.key, sent.value) for sent in out.on("features")][-1] == (USER.encode(), None)
    assert [key for key, value in state.changes() if value is not None] == [MARKER]


async def test_devices_are_told_and_other_merges_wait_behind(run: Callable[..., Run], out: Any) -> None:
    ends: list[float | None] = [None, None, None]
    state = ProfilePartition(2, Settings(partitions=4), lambda: ends)
    forget = encode(Forget(holder=USER, name="x", at=AT, request="r", answer=True))
    ends[:] = [float("inf")] * 3
    await state.process(run(viewed("1", user=USER, device=DEVICE)), out)
    ends[:] = [None] * 3
    await state.process(run(erase(5, 0), forget, topic="merges", first=5), out)
    assert state.waiting()["merges"].records == 2
    ends[:] = [float("inf")] * 3
    state.release(out)
    told = [decode_merge(sent.value) for sent in out.on("merges")][1:]
    assert told == [
        Forget(holder=DEVICE, name=USER, at=AT, request="r", answer=True),
        Erase(customer="x", at=AT, request="r", step="again"),
    ]


def test_progress_counts_whole_runs() -> None:
    progress = Progress()
    assert not progress.passed(1, None, at_end=False)
    assert progress.passed(1, None, at_end=True)
    progress.read(9, None)
    progress.read(19, 5)
    assert progress.passed(8, None, at_end=False)
    # Of the first run nothing waits any more, of the second something.
    assert progress.passed(8, 12, at_end=False)
    assert not progress.passed(8, 9, at_end=False)
    assert not progress.passed(11, 12, at_end=False)
    assert progress.passed(20, None, at_end=False)
    assert not progress.passed(21, None, at_end=False)


async def test_score_forgets_what_was_said_and_tells_on(run: Callable[..., Run], out: Any) -> None:
    models = Models(Settings())
    models.ready.set()
    state = ScorePartition(models)
    state.restore(b"ann", encode_said(Said(at=1)))
    state.restore(b"bob", encode_said(Said(at=1)))
    await state.process(run(None, None, topic="features", key=b"ann"), out)
    assert list(state.changes()) == [(b"ann", None)]
    assert [(sent.topic, sent.key, sent.value) for sent in out.sent] == [("scores", b"ann", None)] * 2


async def test_label_forgets_history_and_predictions_also_after_a_restart(run: Callable[..., Run], out: Any) -> None:
    state = partition()
    await state.process(run(a_score(), a_score("other"), topic="scores"), out)
    await state.process(run(bought(AT), topic="interactions"), out)
    stored = list(state.changes())
    await state.process(run(None, topic="interactions", key=b"c"), out)
    gone = list(state.changes())
    assert [value for _, value in gone] == [None, None]
    again = partition()
    for key, value in [*stored, *gone]:
        again.restore(key, value)
    # A score of before that comes later is forgotten by the word that follows it.
    await again.process(run(a_score(), None, topic="scores", key=b"c"), out)
    assert {value for _, value in again.changes()} == {None}
    assert again._histories.keys() == {"other"}


async def test_learn_passes_over_what_was_taken_back(run: Callable[..., Run], out: Any) -> None:
    state = LearnPartition()
    await state.process(run(None, topic="examples"), out)
    value = dict(state.changes())[b"online"]
    assert value is not None


def test_the_item_index_forgets_her_and_not_what_is_popular() -> None:
    index = ItemIndex()
    for customer in ("ann", "bob"):
        index.learn_one(Interaction(customer=customer, session=1, item="i", behaviour=Behaviour.ORDER, at=AT))
    popular = index.trending()
    index.forget("ann")
    assert (index.bought("ann"), len(index.bought("bob")), index.trending()) == ({}, 1, popular)
