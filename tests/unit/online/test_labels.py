"""The horizon join at its edges. Times in days; churn horizon 30, intent horizon 7, lateness 1."""

import pytest

from online.labels import DAYS, History, Horizons, Pending, cancel, predict, purchase
from schemas.features import DAY_MS
from schemas.outputs import Example, Parts, Score, make_id

HORIZONS = Horizons(churn_ms=30 * DAY_MS, intent_ms=7 * DAY_MS, lateness_ms=DAY_MS)


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
        purchase(state, round(bought * DAY_MS), 1)
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


@pytest.mark.parametrize("late", [False, True])
def test_a_cancelled_order_never_was_one(late: bool) -> None:
    state = History()
    pending = kept(state, 10.0)
    if late:
        purchase(state, 12 * DAY_MS, 7)
        cancel(state, 7)
    else:
        cancel(state, 7)
        purchase(state, 12 * DAY_MS, 7)
    purchase(state, 13 * DAY_MS, 7)
    assert labels(HORIZONS.mature(pending, state, 50 * DAY_MS)) == {"intent": False, "churn": True}


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
    assert predict(state, make_score(10.0), DAY_MS) is None


def test_days_are_bounded_and_what_is_older_is_refused() -> None:
    state = History()
    for day in range(DAYS + 5):
        kept(state, day, f"s{day}")
    assert len(state.days) == DAYS
    assert predict(state, make_score(4.0, "s4"), DAY_MS) is None
    assert predict(state, make_score(5.0, "s5"), DAY_MS) is not None
