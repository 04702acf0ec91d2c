"""Who may speak for a partition: after its last barrier, a loss or a failure, its worker says nothing more of it."""

import asyncio

import pytest

from stream.kafka.stage import BarrierBroken, Unheard
from tests.unit.stream.kafka.barriers import SESSION_S, Bench


@pytest.mark.parametrize("how", ["revoked", "stopped"])
async def test_a_run_that_goes_on_past_the_last_barrier_sends_nothing(how: str, bench: Bench) -> None:
    state = bench.state
    state.waits.clear()
    bench.messages.put(0)
    await bench.settle(kafka=False)
    leaving = asyncio.create_task(bench.revoke() if how == "revoked" else bench.stage._on_shutdown(None))
    await asyncio.sleep(0)
    state.waits.set()
    await bench.settle()
    await leaving
    # Counted by a state that is thrown away, and not sent: the next owner reads it again, and says it.
    assert state.count == 1
    assert bench.kafka.sent == []
    assert bench.app.finished == []


async def test_what_goes_on_past_the_last_barrier_is_in_no_later_one(bench: Bench) -> None:
    state, owned = bench.state, bench.owned
    state.waits.clear()
    bench.messages.put(0)
    await bench.settle()
    owned.leaving = True
    await bench.stage.barrier()
    state.waits.set()
    await bench.settle()
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle()
    await barrier
    # Its outputs were not sent, so what it changed is not written either.
    assert (state.count, bench.kafka.sent) == (1, [])


async def test_what_was_sent_before_the_last_barrier_is_acknowledged_before_the_partition_goes(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    revoked = asyncio.create_task(bench.revoke())
    await bench.settle(kafka=False)
    assert not revoked.done()
    await bench.settle()
    await revoked
    assert bench.kafka.sent == [("features", b"0"), ("profiles", b"1")]


async def test_after_a_failure_nothing_is_sent_and_what_waits_is_given_up(bench: Bench) -> None:
    bench.messages.put(0)
    await bench.settle(kafka=False)
    bench.state.waits.clear()
    bench.messages.put(1)
    barrier = asyncio.create_task(bench.stage.barrier())
    await bench.settle(kafka=False)
    barrier.cancel()
    await bench.settle(kafka=False)
    with pytest.raises(BarrierBroken):
        await bench.stage.barrier()
    bench.state.waits.set()
    await bench.settle()
    assert bench.kafka.dropped
    assert bench.kafka.sent == [("features", b"0")]


async def test_a_fenced_stage_that_the_group_has_not_heard_of_says_nothing_and_starts_again(bench: Bench) -> None:
    bench.stage._fenced = True
    bench.messages.put(0)
    await bench.settle()
    assert bench.kafka.sent == [("features", b"0")]
    bench.app.heard -= SESSION_S
    bench.messages.put(1)
    await bench.settle()
    assert bench.kafka.sent == [("features", b"0")]
    assert isinstance(bench.app.crash_reason, Unheard)


async def test_another_stage_goes_on_saying_what_its_input_says(bench: Bench) -> None:
    bench.app.heard -= SESSION_S
    bench.messages.put(0)
    await bench.settle()
    assert bench.kafka.sent == [("features", b"0")]
    assert bench.app.crash_reason is None
