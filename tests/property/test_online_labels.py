"""Laws of the horizon join: order of arrival does not matter, each target once, nothing guessed."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from online.history import History, decode_history
from online.labels import TARGETS, Horizons, Pending, predict
from online.orders import KEPT, tell
from schemas.behaviours import Behaviour
from schemas.outputs import Example, Interaction, Parts, Score

DAY = 86_400_000
HORIZONS = Horizons(churn_ms=30 * DAY, intent_ms=7 * DAY, lateness_ms=DAY, value_ms=40 * DAY)
NEVER = 10_000 * DAY

Op = Interaction | Score

# Few distinct values, so that orders repeat, changes meet orders and scores meet on a day.
times = st.integers(0, 60 * 8).map(lambda eighth: eighth * DAY // 8)
score_times = st.integers(0, 30 * 8).map(lambda eighth: eighth * DAY // 8)


@st.composite
def of_orders(draw: st.DrawFn) -> Interaction:
    kind = draw(st.sampled_from([Behaviour.ORDER] * 4 + [Behaviour.ORDER_UPDATE, Behaviour.REFUND, Behaviour.CANCEL]))
    always = kind in (Behaviour.ORDER, Behaviour.ORDER_UPDATE)
    return Interaction(
        customer="c", session=0, item="", behaviour=kind, at=draw(times), order=draw(st.integers(1, 6)),
        event=draw(st.integers(1, 50)), amount=draw(st.integers(0, 9) if always else st.none() | st.integers(0, 9)),
        currency="USD",
    )  # fmt: skip


def make_score(at: int, number: int) -> Score:
    p = number / 1_000
    return Score(
        id=f"{at}-{number}", customer="c", at=at, trigger="order", arrived=at, churn=p, intent=1 - p, source="online",
        online=Parts(churn=p, intent=1 - p), models={}, reasons={}, features={"orders_30d": float(number)}, story="",
    )  # fmt: skip


ops = st.lists(of_orders() | st.builds(make_score, score_times, st.integers(0, 1_000)), max_size=40)


def run(events: list[Op], state: History) -> dict[str, Pending]:
    pending: dict[str, Pending] = {}
    for event in events:
        if isinstance(event, Interaction):
            tell(state.orders, event)
        elif (kept := predict(state, event, DAY)) is not None:
            pending[kept.key] = kept
    return pending


def examples(events: list[Op]) -> dict[str, Example]:
    state = History()
    pending = run(events, state)
    return {e.id: e for p in pending.values() for e in HORIZONS.mature(p, state, NEVER)}


@given(ops, st.data())
def test_any_order_of_arrival_gives_the_same_examples(events: list[Op], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))
    assert examples(shuffled) == examples(events)


@given(ops)
def test_everything_twice_is_everything_once(events: list[Op]) -> None:
    assert examples(events + events) == examples(events)


@given(ops)
def test_one_prediction_a_day_and_each_target_of_it(events: list[Op]) -> None:
    days = {event.at // DAY for event in events if isinstance(event, Score)}
    found = examples(events)
    assert {(e.at // DAY, e.target) for e in found.values()} == {(day, target) for day in days for target in TARGETS}
    assert len(found) == len(days) * len(TARGETS)


@given(ops, st.lists(st.integers(0, 100 * DAY), max_size=6))
def test_maturing_in_steps_gives_each_target_once_and_the_same(events: list[Op], clocks: list[int]) -> None:
    state = History()
    pending = run(events, state)
    found: list[Example] = []
    for clock in [*sorted(clocks), NEVER]:
        for p in pending.values():
            found += HORIZONS.mature(p, state, clock)
            # What a crash makes come again is known to be done.
            again = predict(state, make_score(p.at, round(p.churn * 1_000)), DAY)
            assert (again is None and HORIZONS.due(p) is None) or (again is not None and again.done == p.done)
    assert len(found) == len({e.id for e in found})
    assert {e.id: e for e in found} == examples(events)


@given(ops, st.data())
def test_what_comes_late_within_the_bound_is_as_if_it_had_come_in_time(events: list[Op], data: st.DataObject) -> None:
    arrivals = [(event.at + data.draw(st.integers(0, DAY - 1)), event) for event in events]
    state, clock, found = History(), 0, list[Example]()
    pending: dict[str, Pending] = {}
    for _, event in sorted(arrivals, key=lambda arrival: arrival[0]):
        pending |= run([event], state)
        clock = max(clock, event.at)
        for p in pending.values():
            found += HORIZONS.mature(p, state, clock)
    for p in pending.values():
        found += HORIZONS.mature(p, state, NEVER)
    assert len(found) == len({e.id for e in found})
    assert {e.id: e for e in found} == examples(events)


@given(ops)
def test_the_label_is_what_a_search_of_all_events_says(events: list[Op]) -> None:
    told = [event for event in events if isinstance(event, Interaction)]
    horizon = {"intent": 7 * DAY, "churn": 30 * DAY, "value": 40 * DAY}
    for e in examples(events).values():
        end = e.at + horizon[e.target]
        bought, spent = False, 0
        for order in {event.order for event in told}:
            hers = [event for event in told if event.order == order]
            placed = [event for event in hers if event.behaviour == Behaviour.ORDER]
            if not placed or not e.at < min(event.at for event in placed) <= end:
                continue
            then = [event for event in hers if event.at <= end]
            if any(event.behaviour == Behaviour.CANCEL and event.amount is None for event in then):
                continue
            bought = True
            updates = [(event.at, event.amount) for event in then if event.behaviour == Behaviour.ORDER_UPDATE]
            total = max(updates)[1] if updates else max(event.amount or 0 for event in placed if event.at <= end)
            returned = {
                (event.at, event.event, event.behaviour, event.amount)
                for event in then
                if event.behaviour in (Behaviour.REFUND, Behaviour.CANCEL)
            }
            if all(amount is not None for *_, amount in returned):
                spent += max(0, (total or 0) - sum(amount or 0 for *_, amount in returned))
        assert e.label == (not bought if e.target == "churn" else bought)
        assert e.amount == (spent / 100 if e.target == "value" else None)


@given(ops)
def test_state_survives_msgpack(events: list[Op]) -> None:
    state = History()
    pending = run(events, state)
    state.touched = 1
    assert decode_history(msgspec.msgpack.encode(state)) == state
    for p in pending.values():
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(p), type=Pending) == p


@given(st.permutations(range(KEPT + 20)), st.integers(0, KEPT + 20))
def test_forgotten_orders_censor_in_any_order(order: list[int], day: int) -> None:
    state = History()
    for n in order:
        state.orders.place(n * DAY, n + 1, 100, "USD")
    assert [o.at // DAY for o in state.orders.kept] == list(range(20, KEPT + 20))
    kept = predict(state, make_score(day * DAY, 500), DAY)
    assert kept is not None
    assert len(HORIZONS.mature(kept, state, NEVER)) == (0 if day < 19 else 3)
