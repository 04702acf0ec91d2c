"""Laws of the horizon join: order of arrival does not matter, each target once, nothing guessed."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from online.labels import PURCHASES, History, Horizons, Pending, cancel, predict, purchase
from schemas.outputs import Example, Parts, Score

DAY = 86_400_000
HORIZONS = Horizons(churn_ms=30 * DAY, intent_ms=7 * DAY, lateness_ms=DAY)
NEVER = 10_000 * DAY

Op = tuple[str, int, int]

# Few distinct values, so that orders repeat, cancellations meet orders and scores meet on a day.
times = st.integers(0, 60 * 8).map(lambda eighth: eighth * DAY // 8)
score_times = st.integers(0, 30 * 8).map(lambda eighth: eighth * DAY // 8)
ops = st.lists(
    st.one_of(
        st.tuples(st.just("purchase"), times, st.integers(0, 6)),
        st.tuples(st.just("cancel"), st.just(0), st.integers(1, 6)),
        st.tuples(st.just("predict"), score_times, st.integers(0, 1_000)),
    ),
    max_size=40,
)


def make_score(at: int, number: int) -> Score:
    p = number / 1_000
    return Score(
        id=f"{at}-{number}", customer="c", at=at, trigger="order", arrived=at, churn=p, intent=1 - p, source="online",
        online=Parts(churn=p, intent=1 - p), models={}, reasons={}, features={"orders_30d": float(number)}, story="",
    )  # fmt: skip


def run(events: list[Op], state: History) -> dict[str, Pending]:
    pending: dict[str, Pending] = {}
    for what, at, number in events:
        if what == "purchase":
            purchase(state, at, number)
        elif what == "cancel":
            cancel(state, number)
        else:
            kept = predict(state, make_score(at, number), DAY)
            if kept is not None:
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
def test_one_prediction_a_day_and_two_targets_each(events: list[Op]) -> None:
    days = {at // DAY for what, at, _ in events if what == "predict"}
    found = examples(events)
    assert sorted((e.at // DAY, e.target) for e in found.values()) == sorted(
        (day, target) for day in days for target in ("churn", "intent")
    )


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


@given(ops)
def test_the_label_is_what_a_search_of_all_events_says(events: list[Op]) -> None:
    cancelled = {order for what, _, order in events if what == "cancel"}
    first: dict[int, int] = {}
    bought = []
    for what, at, order in events:
        if what == "purchase" and order == 0:
            bought.append(at)
        elif what == "purchase":
            first[order] = min(at, first.get(order, at))
    bought += [at for order, at in first.items() if order not in cancelled]
    for e in examples(events).values():
        horizon = (30 if e.target == "churn" else 7) * DAY
        within = any(e.at < at <= e.at + horizon for at in bought)
        assert e.label == (within if e.target == "intent" else not within)


@given(ops)
def test_state_survives_msgpack(events: list[Op]) -> None:
    state = History()
    pending = run(events, state)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=History) == state
    for p in pending.values():
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(p), type=Pending) == p


@given(st.permutations(range(PURCHASES + 20)), st.integers(0, PURCHASES + 20))
def test_evicted_purchases_censor_in_any_order(order: list[int], day: int) -> None:
    state = History()
    for n in order:
        purchase(state, n * DAY, n + 1)
    assert [p.at // DAY for p in state.purchases] == list(range(20, PURCHASES + 20))
    kept = predict(state, make_score(day * DAY, 500), DAY)
    assert kept is not None
    found = HORIZONS.mature(kept, state, NEVER)
    if day < 19:
        assert (found, state.censored) == ([], 2)
    else:
        assert (len(found), state.censored) == (2, 0)
