"""label and learn over runs: predictions mature once, are learned once, and survive a restart."""

from collections.abc import Callable
from typing import Any

import msgspec

from online.labels import TARGETS, Horizons
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS, HOUR_MS, NAMES
from schemas.outputs import Example, Interaction, ModelSnapshot, Parts, Score, Shown, encode
from stream import metrics
from stream.kafka.transport import Run
from stream.stages.label import LabelPartition
from stream.stages.learn import LearnPartition

T0 = 1_700_000_000_000
HORIZONS = Horizons(30 * DAY_MS, 7 * DAY_MS, DAY_MS, 40 * DAY_MS)


def a_score(customer: str = "c", at: int = T0, name: str = "s") -> bytes:
    return encode(
        Score(
            id=f"{name}{at}",
            customer=customer,
            at=at,
            trigger="order",
            arrived=at,
            churn=0.3,
            intent=0.4,
            source="ensemble",
            bert=Parts(churn=0.3, intent=0.4),
            online=Parts(churn=0.5, intent=0.5),
            models={},
            reasons={},
            features=dict.fromkeys(NAMES, 1.0),
            story="",
        )
    )


def bought(at: int, customer: str = "c", behaviour: Behaviour = Behaviour.ORDER) -> bytes:
    order = 0 if behaviour == Behaviour.IDENTIFY else at
    told = Interaction(
        customer=customer, session=at, item="i", behaviour=behaviour, at=at, order=order, amount=1_000, currency="USD"
    )
    return encode(told)


def partition() -> LabelPartition:
    return LabelPartition(0, HORIZONS, "scores", ttl_ms=100 * DAY_MS)


def censored(reason: str) -> float:
    return sum(float(metrics.CENSORED.labels(target, reason)._value.get()) for target in TARGETS)


def examples(out: Any) -> list[tuple[str, bool]]:
    found = [msgspec.json.decode(sent.value, type=Example) for sent in out.on("examples")]
    return [(example.target, example.label) for example in found]


async def test_a_prediction_matures_into_an_example_of_each_target_once(run: Callable[..., Run], out: Any) -> None:
    state = partition()
    await state.process(run(a_score(), topic="scores"), out)
    await state.process(run(bought(T0 + 3 * DAY_MS), topic="interactions"), out)
    assert examples(out) == []
    await state.process(run(bought(T0 + 9 * DAY_MS, "other"), topic="interactions", first=1), out)
    assert examples(out) == [("intent", True)]
    await state.process(run(bought(T0 + 40 * DAY_MS, "other"), topic="interactions", first=2), out)
    assert examples(out) == [("intent", True), ("churn", False)]
    for days in (80, 120):
        await state.process(run(bought(T0 + days * DAY_MS, "other"), topic="interactions", first=3), out)
        assert examples(out) == [("intent", True), ("churn", False), ("value", True)]
    assert {sent.partition for sent in out.on("examples")} == {0}


async def test_a_list_that_was_shown_moves_no_clock(run: Callable[..., Run], out: Any) -> None:
    """It bears the wall clock's time, and history may be what is being replayed."""
    state = partition()
    await state.process(run(a_score(), topic="scores"), out)
    shown = Shown(decision_id="d", items=["i"], sources=["trending"], lead="trending", propensity=1.0, who=[1.0])
    told = Interaction(
        customer="c", session=0, item="", behaviour=Behaviour.OTHER, at=T0 + 500 * DAY_MS, shown=shown
    )  # fmt: skip
    await state.process(run(encode(told), topic="interactions"), out)
    assert examples(out) == []


async def test_what_was_predicted_of_a_device_is_not_judged_once_it_was_handed_to_a_user(
    run: Callable[..., Run], out: Any
) -> None:
    state, before = partition(), censored("handed over")
    await state.process(run(a_score(), topic="scores"), out)
    stored = list(state.changes())
    handed = bought(T0 + DAY_MS, behaviour=Behaviour.IDENTIFY)
    await state.process(run(handed, handed, bought(T0 + 2 * DAY_MS), topic="interactions"), out)
    deleted = [key for key, value in state.changes() if value is None]
    assert [key for key, _ in stored if key.startswith(b"p:")] == deleted
    # A score that was on its way meanwhile, and one of what the device does from then on.
    await state.process(run(a_score(at=T0 + DAY_MS - 1), a_score(at=T0 + 3 * DAY_MS), topic="scores", first=1), out)
    restarted = partition()
    for key, value in [*stored, *state.changes()]:
        if key not in deleted:
            restarted.restore(key, value)
    for one in (state, restarted):
        out.sent.clear()
        await one.process(run(bought(T0 + 90 * DAY_MS, "other"), topic="interactions", first=3), out)
        assert examples(out) == [("intent", False), ("churn", True), ("value", False)]
    assert censored("handed over") == before + len(TARGETS)


async def test_what_waits_survives_a_restart(run: Callable[..., Run], out: Any) -> None:
    state = partition()
    await state.process(run(a_score(), topic="scores"), out)
    await state.process(run(bought(T0 + 3 * DAY_MS), topic="interactions"), out)
    restarted = partition()
    for key, value in state.changes():
        restarted.restore(key, value)
    await restarted.process(run(bought(T0 + 41 * DAY_MS, "other"), topic="interactions", first=1), out)
    assert sorted(examples(out)) == [("churn", False), ("intent", True), ("value", True)]
    kept = {key for key, value in restarted.changes() if key.startswith(b"p:") and value is not None}
    assert kept == set()


async def test_silence_matures_by_the_wall_clock_only_once_caught_up(run: Callable[..., Run], out: Any) -> None:
    state = partition()
    await state.process(run(a_score(), topic="scores"), out)
    await state.process(run(bought(T0), topic="interactions"), out)
    state.tick(T0 + 300 * DAY_MS, out)
    assert examples(out) == []
    for hours in range(0, 9 * 24, 12):
        state.tick(T0 + hours * HOUR_MS, out)
    assert examples(out) == [("intent", False)]


async def test_what_an_erased_customer_waited_for_is_censored(run: Callable[..., Run], out: Any) -> None:
    state, before = partition(), censored("erased")
    await state.process(run(a_score(), topic="scores"), out)
    await state.process(run(None, topic="scores", key=b"c"), out)
    await state.process(run(bought(T0 + 90 * DAY_MS, "other"), topic="interactions"), out)
    assert examples(out) == []
    assert censored("erased") == before + len(TARGETS)


async def test_a_history_is_forgotten_after_long_silence_and_not_while_anything_waits(
    run: Callable[..., Run], out: Any
) -> None:
    state = partition()
    await state.process(run(bought(T0), bought(T0, "d"), topic="interactions"), out)
    await state.process(run(a_score(at=T0 + 50 * DAY_MS), topic="scores"), out)
    for days in (51, 99, 101, 140, 240):
        await state.process(run(bought(T0 + days * DAY_MS, "other"), topic="interactions"), out)
        forgotten = {key.decode() for key, value in state.changes() if value is None and key[:2] == b"h:"}
        assert forgotten == {101: {"h:d"}, 240: {"h:c"}}.get(days, set())
    assert examples(out) == [("intent", False), ("churn", True), ("value", False)]


async def test_how_long_a_label_took_is_measured_in_event_time(run: Callable[..., Run], out: Any) -> None:
    histogram = metrics.LABEL_DELAY.labels("intent")
    before = histogram._sum.get()
    state = partition()
    await state.process(run(a_score(), topic="scores"), out)
    await state.process(run(bought(T0 + 9 * DAY_MS, "other"), topic="interactions"), out)
    assert histogram._sum.get() - before == 9 * DAY_MS / 1000


def matured(number: int) -> bytes:
    return encode(
        Example(
            id=str(number),
            customer="c",
            at=T0,
            matured=T0,
            target=("churn", "intent")[number % 2],
            label=number % 3 == 0,
            features={name: float(number % 5) for name in NAMES},
            story="",
            served=0.4,
            bert=0.4,
            online=0.5,
        )
    )


async def test_each_example_is_learned_once_across_a_restart(run: Callable[..., Run], out: Any) -> None:
    every = [matured(number) for number in range(20)]
    undisturbed, crashed = LearnPartition(now=lambda: 0.0), LearnPartition(now=lambda: 0.0)
    await undisturbed.process(run(*every, topic="examples"), out)
    await crashed.process(run(*every[:12], topic="examples"), out)
    restarted = LearnPartition(now=lambda: 0.0)
    for key, value in crashed.changes():
        restarted.restore(key, value)
    # Read again from an older commit: what the version holds is skipped.
    await restarted.process(run(*every[5:], topic="examples", first=5), out)
    assert dict(restarted.changes())[b"online"] == dict(undisturbed.changes())[b"online"]


async def test_a_version_is_published_only_when_something_was_learned(run: Callable[..., Run], out: Any) -> None:
    state = LearnPartition()
    assert list(state.changes()) == []
    await state.process(run(matured(1), topic="examples"), out)
    (lately, _), (key, value) = state.changes()
    assert (lately, key) == (b"learned-0", b"online")
    assert msgspec.json.decode(value or b"", type=ModelSnapshot).offset == 1
    assert list(state.changes()) == []


async def test_what_the_label_stage_said_twice_is_learned_once_also_after_a_restart(
    run: Callable[..., Run], out: Any
) -> None:
    every = [matured(number) for number in range(8)]
    calm, state = LearnPartition(now=lambda: 0.0), LearnPartition(now=lambda: 0.0)
    await calm.process(run(*every, topic="examples"), out)
    await state.process(run(*every[:4], every[2], topic="examples"), out)
    restarted = LearnPartition(now=lambda: 0.0)
    for key, value in reversed(list(state.changes())):
        restarted.restore(key, value)
    await restarted.process(run(*every, topic="examples", first=5), out)
    versions = [dict(one.changes())[b"online"] for one in (calm, restarted)]
    got, want = (msgspec.json.decode(value or b"", type=ModelSnapshot) for value in versions)
    assert (got.state, got.metrics) == (want.state, want.metrics)


async def test_what_was_learned_for_a_version_that_was_not_written_is_learned_again(
    run: Callable[..., Run], out: Any
) -> None:
    state = LearnPartition()
    await state.process(run(matured(1), topic="examples"), out)
    (key, value), _ = state.changes()
    restarted = LearnPartition()
    restarted.restore(key, value)
    await restarted.process(run(matured(1), topic="examples"), out)
    snapshot = msgspec.json.decode(dict(restarted.changes())[b"online"] or b"", type=ModelSnapshot)
    assert snapshot.metrics["intent.learned"] == 1


async def test_an_example_of_an_unknown_target_or_a_broken_one_stops_nobody(run: Callable[..., Run], out: Any) -> None:
    known = msgspec.json.decode(matured(1), type=Example)
    odd = encode(msgspec.structs.replace(known, id="odd", target="mood"))
    state = LearnPartition()
    await state.process(run(odd, b"{", b"\xff", matured(1), topic="examples"), out)
    snapshot = msgspec.json.decode(dict(state.changes())[b"online"] or b"", type=ModelSnapshot)
    assert (snapshot.offset, snapshot.metrics["intent.learned"]) == (4, 1)


async def test_a_version_of_an_older_format_is_told_of_and_learning_begins_anew(
    run: Callable[..., Run], out: Any, caplog: Any
) -> None:
    state = LearnPartition()
    await state.process(run(matured(1), topic="examples"), out)
    version = msgspec.json.decode(dict(state.changes())[b"online"] or b"", type=ModelSnapshot)
    upgraded = LearnPartition()
    upgraded.restore(b"online", encode(msgspec.structs.replace(version, state={"model": {"format": 1}})))
    assert "learning begins anew" in caplog.text
    await upgraded.process(run(matured(1), matured(2), topic="examples"), out)
    snapshot = msgspec.json.decode(dict(upgraded.changes())[b"online"] or b"", type=ModelSnapshot)
    # What the older one held stands behind its offset, and is not learned twice should it come again.
    assert (snapshot.offset, snapshot.version) == (2, "r1")
