"""The horizon join at its edges. Times in days; churn horizon 30, intent horizon 7, lateness 1."""

from itertools import permutations

import msgspec
import pytest

from online.history import History, decode_history
from online.labels import DAYS, Horizons, Lost, Pending, Reason, end, predict
from online.orders import Orders, tell
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Example, Interaction, Parts, Score, make_id

HORIZONS = Horizons(churn_ms=30 * DAY_MS, intent_ms=7 * DAY_MS, lateness_ms=DAY_MS)
WITH_VALUE = Horizons(churn_ms=30 * DAY_MS, intent_ms=7 * DAY_MS, lateness_ms=DAY_MS, value_ms=90 * DAY_MS)


def told(kind: Behaviour, day: float, amount: int | None = None, order: int = 7, currency: str = "USD") -> Interaction:
    at = round(day * DAY_MS)
    return Interaction(
        customer="ann", session=at, item="", behaviour=kind, at=at, order=order, event=at + kind, amount=amount,
        currency=currency,
    )  # fmt: skip


def value_of(*interactions: Interaction, at: float = 10.0) -> tuple[bool, float | None] | Reason:
    """The value label of a prediction on a day, whatever the order of what is told."""
    found: list[tuple[bool, float | None] | Reason] = []
    for each in (interactions, interactions[::-1], interactions * 2):
        state, lost = History(), list[Lost]()
        pending = kept(state, at)
        for interaction in each:
            assert tell(state.orders, interaction)
        examples = {e.target: e for e in WITH_VALUE.mature(pending, state, 500 * DAY_MS, lost)}
        found.append((examples["value"].label, examples["value"].amount) if "value" in examples else lost[0].reason)
    assert found[0] == found[1] == found[2]
    return found[0]


def make_score(at: float, name: str = "s", bert: Parts | None = None) -> Score:
    return Score(
        id=name, customer="ann", at=round(at * DAY_MS), trigger="order", arrived=0, churn=0.3, intent=0.6,
        source="ensemble", bert=bert, online=Parts(churn=0.4, intent=0.5), models={}, reasons={},
        features={"orders_30d": 1.0}, story="viewed a; ordered a",
    )  # fmt: skip


def kept(state: History, at: float, name: str = "s", bert: Parts | None = None) -> Pending:
    pending = predict(state, make_score(at, name, bert), DAY_MS)
    assert pending is not None
    return pending


def labels(found: list[Example]) -> dict[str, bool]:
    return {e.target: e.label for e in found}


@pytest.mark.parametrize(
    ("bought", "intent", "churn"),
    [
        (None, False, True),
        (10.0, False, True),  # the order that made the score
        (9.0, False, True),
        (10.001, True, False),
        (17.0, True, False),  # the horizon's last moment
        (17.001, False, False),
        (40.0, False, False),
        (40.001, False, True),
    ],
)
def test_what_a_purchase_on_a_day_makes_of_a_prediction_on_day_10(
    bought: float | None, intent: bool, churn: bool
) -> None:
    state = History()
    pending = kept(state, 10.0)
    if bought is not None:
        state.orders.place(round(bought * DAY_MS), 1)
    assert labels(HORIZONS.mature(pending, state, 41 * DAY_MS)) == {"intent": intent, "churn": churn}


def test_it_matures_in_two_steps_each_once_and_not_before() -> None:
    state = History()
    pending = kept(state, 10.0)
    assert HORIZONS.due(pending) == 18 * DAY_MS
    assert HORIZONS.mature(pending, state, 18 * DAY_MS - 1) == []
    assert labels(HORIZONS.mature(pending, state, 18 * DAY_MS)) == {"intent": False}
    assert HORIZONS.due(pending) == 41 * DAY_MS
    assert HORIZONS.mature(pending, state, 41 * DAY_MS - 1) == []
    assert labels(HORIZONS.mature(pending, state, 99 * DAY_MS)) == {"churn": True}
    assert HORIZONS.due(pending) is None
    assert HORIZONS.mature(pending, state, 99 * DAY_MS) == []


def test_an_example_says_what_was_served_and_by_whom() -> None:
    state = History()
    pending = kept(state, 10.0, bert=Parts(churn=0.2, intent=0.7))
    intent, churn = HORIZONS.mature(pending, state, 50 * DAY_MS)
    assert (intent.id, churn.id) == (make_id("s", "intent"), make_id("s", "churn"))
    assert (intent.served, intent.bert, intent.online) == (0.6, 0.7, 0.5)
    assert (churn.served, churn.bert, churn.online) == (0.3, 0.2, 0.4)
    # When it matured is when it could, not when somebody looked: a replay says the same.
    assert (intent.matured, churn.matured) == (18 * DAY_MS, 41 * DAY_MS)
    assert (churn.customer, churn.at, churn.features) == ("ann", 10 * DAY_MS, {"orders_30d": 1.0})


def test_a_cancelled_order_never_was_one() -> None:
    state = History()
    pending = kept(state, 10.0)
    for interaction in (told(Behaviour.CANCEL, 16.5), told(Behaviour.ORDER, 12), told(Behaviour.ORDER, 13)):
        assert tell(state.orders, interaction)
    assert labels(HORIZONS.mature(pending, state, 50 * DAY_MS)) == {"intent": False, "churn": True}


def test_a_cancellation_counts_as_of_its_time() -> None:
    state = History()
    pending = kept(state, 10.0)
    tell(state.orders, told(Behaviour.ORDER, 12))
    # On day 18 the purchase within a week had happened; on day 40 there had been none that stood.
    tell(state.orders, told(Behaviour.CANCEL, 18))
    assert labels(HORIZONS.mature(pending, state, 50 * DAY_MS)) == {"intent": True, "churn": True}


def test_value_is_what_is_left_of_her_orders_at_the_end_of_its_horizon() -> None:
    order = told(Behaviour.ORDER, 20, 4_000)
    assert value_of() == (False, 0.0)
    assert value_of(order) == (True, 40.0)
    assert value_of(told(Behaviour.ORDER, 10, 4_000)) == (False, 0.0)
    assert value_of(told(Behaviour.ORDER, 101, 4_000)) == (False, 0.0)
    assert value_of(order, told(Behaviour.ORDER, 30, 50, order=8)) == (True, 40.5)
    assert value_of(order, told(Behaviour.ORDER, 20.5, 4_100)) == (True, 41.0)
    assert value_of(order, told(Behaviour.ORDER_UPDATE, 21, 3_500), told(Behaviour.REFUND, 22, 500)) == (True, 30.0)
    assert value_of(order, told(Behaviour.REFUND, 22, 500), told(Behaviour.REFUND, 23, 500)) == (True, 30.0)
    assert value_of(order, told(Behaviour.REFUND, 22, 9_999)) == (True, 0.0)
    assert value_of(order, told(Behaviour.REFUND, 22)) == (True, 0.0)
    assert value_of(order, told(Behaviour.CANCEL, 22, 1_000)) == (True, 30.0)
    assert value_of(order, told(Behaviour.CANCEL, 22)) == (False, 0.0)
    # What is given back after the horizon's end is none of it.
    assert value_of(order, told(Behaviour.REFUND, 100.1), told(Behaviour.CANCEL, 100.2)) == (True, 40.0)


def test_what_cannot_be_told_in_the_installations_currency_is_censored() -> None:
    assert value_of(told(Behaviour.ORDER, 20, 4_000, currency="EUR")) == Reason.CURRENCY
    assert value_of(told(Behaviour.ORDER, 20, None)) == Reason.AMOUNT
    # One that was cancelled, or lies outside, is nobody's concern.
    assert value_of(told(Behaviour.ORDER, 20, 4_000, currency="EUR"), told(Behaviour.CANCEL, 21)) == (False, 0.0)
    assert value_of(told(Behaviour.ORDER, 5, None)) == (False, 0.0)


def test_an_update_without_a_total_and_what_is_no_order_say_nothing() -> None:
    state = History()
    assert not tell(state.orders, told(Behaviour.ORDER_UPDATE, 12))
    assert not tell(state.orders, told(Behaviour.VIEW, 12))
    assert state == History()


def test_an_example_says_what_a_version_on_trial_would_have_said() -> None:
    versions = {"bert": "one", "shadow": "two"}
    score = msgspec.structs.replace(make_score(10.0), shadow=Parts(churn=0.1, intent=0.9), models=versions)
    state = History()
    pending = predict(state, score, DAY_MS)
    assert pending is not None
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(pending), type=Pending) == pending
    intent, churn = HORIZONS.mature(pending, state, 50 * DAY_MS)
    assert (intent.shadow, churn.shadow) == (0.9, 0.1)
    assert intent.models == churn.models == versions


def test_value_matures_last_and_says_what_was_expected() -> None:
    state = History()
    score = msgspec.structs.replace(
        make_score(10.0, bert=Parts(churn=0.2, intent=0.7, value=12.5)), value=20.0, online=Parts(churn=0.4, intent=0.5)
    )
    pending = predict(state, score, DAY_MS)
    assert pending is not None
    assert [e.target for e in WITH_VALUE.mature(pending, state, 41 * DAY_MS)] == ["intent", "churn"]
    assert WITH_VALUE.due(pending) == 101 * DAY_MS
    (value,) = WITH_VALUE.mature(pending, state, 101 * DAY_MS)
    assert (value.id, value.label, value.amount) == (make_id("s", "value"), False, 0.0)
    assert (value.served, value.bert, value.online, value.matured) == (20.0, 12.5, None, 101 * DAY_MS)
    assert WITH_VALUE.due(pending) is None


def test_what_a_device_predicted_is_censored_also_after_its_day_was_dropped() -> None:
    state = History()
    first = kept(state, 0.0, "s0")
    for day in range(1, DAYS + 3):
        kept(state, day, f"s{day}")
    assert len(end(state, "ann", (DAYS + 1) * DAY_MS)) == DAYS - 1
    lost: list[Lost] = []
    assert HORIZONS.mature(first, state, 99 * DAY_MS, lost) == []
    assert lost == [Lost("intent", Reason.HANDED), Lost("churn", Reason.HANDED)]


def test_what_a_crash_left_of_a_prediction_is_not_told_again() -> None:
    state = History()
    pending = kept(state, 10.0)
    stored = msgspec.structs.replace(pending, done=[])
    assert len(HORIZONS.mature(pending, state, 18 * DAY_MS)) == 1
    assert [e.target for e in HORIZONS.mature(stored, state, 50 * DAY_MS)] == ["churn"]


def test_a_history_of_an_older_version_is_read() -> None:
    older = {
        "purchases": [[12 * DAY_MS, 7, False], [13 * DAY_MS, 8, True], [14 * DAY_MS, 0]],
        "forgotten": 3, "cancelled": [9], "days": {10: [10 * DAY_MS, "s", ["intent"]]}, "closed": 2, "censored": 4,
        "ended": 1,
    }  # fmt: skip
    state = decode_history(msgspec.msgpack.encode(older))
    assert [(order.at // DAY_MS, order.stands(99 * DAY_MS)) for order in state.orders.kept] == [
        (12, True), (13, False), (14, True)
    ]  # fmt: skip
    assert (state.orders.forgotten, state.closed, state.ended, state.touched) == (3, 2, 1, 14 * DAY_MS)
    assert kept(state, 10.0).done == ["intent"]
    tell(state.orders, told(Behaviour.ORDER, 15, 100, order=9))
    assert not state.orders.kept[-1].stands(99 * DAY_MS)
    assert decode_history(msgspec.msgpack.encode(state)) == state


def test_the_first_of_the_day_is_kept_and_an_earlier_one_takes_its_place() -> None:
    state = History()
    first = kept(state, 10.5, "b")
    assert predict(state, make_score(10.6, "c"), DAY_MS) is None
    earlier = kept(state, 10.2, "a")
    assert earlier.key == first.key
    assert predict(state, make_score(10.5, "b"), DAY_MS) is None
    assert kept(state, 11.0, "d").key != first.key


def test_once_something_matured_an_earlier_one_comes_too_late() -> None:
    state = History()
    pending = kept(state, 10.5, "b")
    HORIZONS.mature(pending, state, 19 * DAY_MS)
    assert predict(state, make_score(10.2, "a"), DAY_MS) is None


def test_a_repeated_score_remembers_what_was_done() -> None:
    state = History()
    pending = kept(state, 10.0)
    assert kept(state, 10.0) == pending
    HORIZONS.mature(pending, state, 18 * DAY_MS)
    assert kept(state, 10.0).done == ["intent"]
    HORIZONS.mature(pending, state, 41 * DAY_MS)
    # There is no horizon for value here, so nothing of it waits.
    assert HORIZONS.due(kept(state, 10.0)) is None


def test_days_are_bounded_and_what_is_older_is_refused() -> None:
    state = History()
    for day in range(DAYS + 5):
        kept(state, day, f"s{day}")
    assert len(state.days) == DAYS
    assert predict(state, make_score(4.0, "s4"), DAY_MS) is None
    assert predict(state, make_score(5.0, "s5"), DAY_MS) is not None


def test_a_fuller_total_counts_from_when_it_was_told() -> None:
    reports = [(30, 900, "USD"), (10, 500, "USD"), (20, 400, "USD"), (30, 700, "USD"), (10, 500, "USD")]
    for told in permutations(reports):
        orders = Orders()
        for at, amount, currency in told:
            orders.place(at, 1, amount, currency)
        (order,) = orders.kept
        assert (order.at, order.net(15), order.net(25), order.net(30)) == (10, 500, 500, 900)
