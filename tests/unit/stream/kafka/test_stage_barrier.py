"""The barrier of a stage, without Kafka: what may become durable when, and what must never be committed."""

import asyncio
from typing import cast

import pytest
from confluent_kafka import KafkaError

from stream import metrics
from stream.kafka.epochs import NotDelivered
from stream.kafka.owned import Owned
from stream.kafka.stage import BarrierBroken
from tests.unit.stream.kafka.barriers import INPUT, SESSION_S, Bench, Heavy, Patient, State


async def test_state_becomes_durable_only_after_the_outputs_it_holds(bench: Bench) -> None:
    bench.messages.put(0, 1)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    assert bench.kafka.sent == [("features", b"0"), ("features", b"1")]
    bench.kafka.report()
    await bench.settle(kafka=False)
    assert bench.kafka.sent[2:] == [("profiles", b"2")]
    assert bench.app.finished == []
    bench.kafka.report()
    await barrier
    assert bench.app.finished == [1]


async def test_what_waits_for_the_state_is_sent_once_that_is_durable(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    bench.state.after = b"carried"
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    bench.kafka.report()
    await bench.settle(kafka=False)
    assert bench.kafka.sent == [("features", b"0"), ("profiles", b"1")]
    bench.kafka.report()
    await barrier
    assert bench.kafka.sent[2:] == [("merges", b"carried")]
    # The next barrier is not through before this is acknowledged as well.
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    assert not barrier.done()
    bench.kafka.report()
    await barrier


async def test_what_is_processed_during_a_barrier_waits_for_the_next(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    bench.messages.put(1)
    await bench.settle(kafka=False)
    await bench.settle()
    await barrier
    assert ("profiles", b"1") in bench.kafka.sent
    assert ("profiles", b"2") not in bench.kafka.sent
    assert bench.app.finished == [0]
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert bench.app.finished == [0, 1]


@pytest.mark.parametrize("lost", ["output", "state"])
async def test_after_a_lost_record_nothing_is_ever_finished(lost: str, bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    if lost == "state":
        bench.kafka.report()
        await bench.settle(kafka=False)
    bench.messages.put(1)
    await bench.settle(kafka=False)
    # Revocation waits behind the barrier that fails; the run after it must not be committed over it.
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle(kafka=False)
    bench.kafka.report(KafkaError(KafkaError._MSG_TIMED_OUT))
    await bench.settle()
    with pytest.raises(NotDelivered):
        await barrier
    with pytest.raises(BarrierBroken):
        await revoked
    assert bench.app.finished == []
    assert bench.stage.owned == {}


async def test_a_cancelled_barrier_counts_as_failed(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    barrier.cancel()
    await bench.settle(kafka=False)
    with pytest.raises(BarrierBroken):
        await bench.stage.barrier()


async def test_a_partition_revoked_while_it_is_restored_holds_nobody_up(bench: Bench) -> None:
    restoring = bench.stage.owned[0] = Owned(0, State())
    bench.messages.put(0)
    await bench.settle()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    bench.own()
    bench.messages.put(0)
    await bench.settle()
    assert (cast(State, restoring.state).count, bench.state.count) == (0, 1)


async def test_a_partition_that_is_another_workers_is_measured_no_longer(bench: Bench) -> None:
    mine = {"stage": "profile", "topic": INPUT.topic, "partition": "0"}
    for partition in (0, 7):
        metrics.LAG.labels("profile", INPUT.topic, partition).set(5)
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    measured = [sample.labels for metric in metrics.LAG.collect() for sample in metric.samples]
    assert mine not in measured
    assert mine | {"partition": "7"} in measured


async def test_a_run_that_revocation_overtakes_is_never_finished(bench: Bench) -> None:
    old = bench.state
    old.waits.clear()
    bench.messages.put(0)
    await bench.settle()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    # The same worker gets the partition back before the old run is through.
    bench.own()
    old.waits.set()
    await bench.settle()
    assert bench.stage._reading._received == {}
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert bench.app.finished == []
    bench.messages.put(0)
    await bench.settle()
    assert (old.count, bench.state.count) == (1, 1)


async def test_unheard_of_for_a_session_it_writes_no_state_and_loses_its_partitions_unflushed(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    bench.app.heard -= SESSION_S
    await bench.stage.barrier()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    assert [topic for topic, _ in bench.kafka.sent] == ["features"]
    assert (bench.app.finished, bench.stage.owned) == ([], {})


async def test_heard_of_again_it_writes_what_it_held_back(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    heard = bench.app.heard
    bench.app.heard -= SESSION_S
    await bench.stage.barrier()
    bench.app.heard = heard
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert bench.kafka.sent[1:] == [("profiles", b"1")]
    assert bench.app.finished == [0]


async def test_revocation_commits_also_when_a_commit_is_under_way(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    bench.app.under_way = asyncio.get_running_loop().create_future()
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    bench.app.under_way.set_result(None)
    await revoked
    assert bench.app.committed == [0]


async def test_an_orderly_stop_leaves_nothing_to_be_read_again(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    stopping = asyncio.create_task(bench.stage._on_shutdown(None))
    await bench.settle()
    await stopping
    assert bench.app.committed == [0]


async def test_after_a_crash_the_last_commit_stands(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle()
    bench.app.crash_reason = RuntimeError()
    await bench.stage._on_shutdown(None)
    assert (bench.app.finished, bench.app.committed) == ([], [])


async def test_a_run_is_finished_only_when_none_of_it_waits_any_longer(bench: Bench) -> None:
    state = Patient()
    owned = bench.own(state)
    bench.messages.put(0, 1)
    bench.messages.put(2)
    await bench.settle()
    finished = []
    for free in (0, 1, 1, 1):
        state.free = free
        await bench.stage._release(owned)
        barrier = asyncio.create_task(bench.stage.barrier())
        await bench.settle()
        await barrier
        finished.append(list(bench.app.finished))
    assert finished == [[], [], [1], [1, 2]]
    assert owned.runs == []


async def test_a_topic_of_which_too_much_waits_is_held_until_half_of_it_has_left(bench: Bench) -> None:
    state = Patient()
    owned = bench.own(state)
    limit = bench.stage.settings.waiting_records
    bench.messages.put(*range(limit))
    await bench.settle()
    assert bench.app.held == set()
    bench.messages.put(limit)
    await bench.settle()
    assert bench.app.held == {INPUT}
    state.free = limit // 2
    await bench.stage._release(owned)
    assert bench.app.held == {INPUT}
    state.free = 1
    await bench.stage._release(owned)
    assert bench.app.held == set()


async def test_what_waits_when_a_partition_is_revoked_is_left_to_its_next_owner(bench: Bench) -> None:
    state = Patient()
    bench.own(state)
    bench.messages.put(0, 1)
    bench.messages.put(2)
    await bench.settle()
    state.free = 2
    await bench.stage._release(bench.stage.owned[0])
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle()
    await revoked
    assert (bench.app.committed, state.count) == ([1], 2)


async def test_what_was_held_back_is_written_in_the_order_of_the_newest_changes(bench: Bench) -> None:
    changes = iter([[(b"ann", b"1"), (b"", b"1")], [(b"bob", b"2"), (b"", b"2")]])
    bench.state.changes = lambda: iter(next(changes))  # type: ignore[method-assign]
    heard = bench.app.heard
    bench.app.heard -= SESSION_S
    await bench.stage.barrier()
    bench.app.heard = heard
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    assert [value for _, value in bench.kafka.sent] == [b"1", b"2", b"2"]


@pytest.mark.parametrize(
    ("state", "behind", "intervals"), [(State, True, 5), (State, False, 1), (Heavy, True, 1), (Heavy, False, 1)]
)
async def test_who_catches_up_makes_few_barriers_unless_much_has_changed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, state: type[State], behind: bool, intervals: int
) -> None:
    bench.own(state())
    made: asyncio.Queue[int] = asyncio.Queue()
    slept = 0
    sleep = asyncio.sleep

    async def count(seconds: float) -> None:
        nonlocal slept
        slept += 1
        await sleep(seconds)

    async def barrier() -> None:
        nonlocal slept
        made.put_nowait(slept)
        slept = 0

    monkeypatch.setattr(bench.stage._reading, "behind", lambda: behind)
    monkeypatch.setattr(bench.stage, "barrier", barrier)
    monkeypatch.setattr("stream.kafka.stage.asyncio.sleep", count)
    making = asyncio.create_task(bench.stage._barriers())
    assert [await made.get(), await made.get()] == [intervals, intervals]
    making.cancel()
