"""label and learn over runs: predictions mature once, are learned once, and survive a restart."""

from collections.abc import Callable
from typing import Any

import msgspec

from online.labels import Horizons
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS, HOUR_MS, NAMES
from schemas.outputs import Example, Interaction, ModelSnapshot, Parts, Score, encode
from stream.kafka.transport import Run
from stream.stages.label import LabelPartition
from stream.stages.learn import LearnPartition

T0 = 1_700_000_000_000
HORIZONS = Horizons(30 * DAY_MS, 7 * DAY_MS, DAY_MS)


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
    return encode(Interaction(customer=customer, session=at, item="i", behaviour=behaviour, at=at, order=at))


def partition() -> LabelPartition:
    return LabelPartition(0, HORIZONS, "scores", DAY_MS)


def examples(out: Any) -> list[tuple[str, bool]]:
    found = [msgspec.json.decode(sent.value, type=Example) for sent in out.on("examples")]
    return [(example.target, example.label) for example in found]


async def test_a_prediction_matures_into_two_examples_once_each(run: Callable[..., Run], out: Any) -> None:
    state = partition()
    await state.process(run(a_score(), topic="scores"), out)
    await state.process(run(bought(T0 + 3 * DAY_MS), topic="interactions"), out)
    assert examples(out) == []
    await state.process(run(bought(T0 + 9 * DAY_MS, "other"), topic="interactions", first=1), out)
    assert examples(out) == [("intent", True)]
    await state.process(run(bought(T0 + 40 * DAY_MS, "other"), topic="interactions", first=2), out)
    assert examples(out) == [("intent", True), ("churn", False)]
    await state.process(run(bought(T0 + 80 * DAY_MS, "other"), topic="interactions", first=3), out)
    assert len(examples(out)) == 2
    assert {sent.partition for sent in out.on("examples")} == {0}


async def test_what_was_predicted_of_a_device_is_not_judged_once_it_was_handed_to_a_user(
    run: Callable[..., Run], out: Any
) -> None:
    state = partition()
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
        assert examples(out) == [("intent", False), ("churn", True)]
    assert next(iter(state._histories.values())).censored == 2


async def test_what_waits_survives_a_restart(run: Callable[..., Run], out: Any) -> None:
    state = partition()
    await state.process(run(a_score(), topic="scores"), out)
    await state.process(run(bought(T0 + 3 * DAY_MS), topic="interactions"), out)
    restarted = partition()
    for key, value in state.changes():
        restarted.restore(key, value)
    await restarted.process(run(bought(T0 + 40 * DAY_MS, "other"), topic="interactions", first=1), out)
    assert sorted(examples(out)) == [("churn", False), ("intent", True)]
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
    assert list(restarted.changes()) == list(undisturbed.changes())


async def test_a_version_is_published_only_when_something_was_learned(run: Callable[..., Run], out: Any) -> None:
    state = LearnPartition()
    assert list(state.changes()) == []
    await state.process(run(matured(1), topic="examples"), out)
    ((key, value),) = state.changes()
    assert key == b"online"
    assert msgspec.json.decode(value or b"", type=ModelSnapshot).offset == 1
    assert list(state.changes()) == []
