"""The memory for repeats is bounded; whatever it lets through twice is counted as unverifiable."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.behaviours import Behaviour
from schemas.event import Event
from stream.features.engine import Config, Engine
from stream.features.profile import LEDGER, SEEN

T0 = 1_700_000_000_000


def view(number: int, at: int) -> Event:
    return Event(behaviour=Behaviour.PAGE, at=T0 + at, customer="c", message=number)


def order(number: int, message: int, at: int, behaviour: Behaviour = Behaviour.ORDER) -> Event:
    return Event(
        behaviour=behaviour, at=T0 + at, customer="c", message=message, order=number, amount=100, currency="USD"
    )


def fed(events: list[Event]) -> Engine:
    engine = Engine(Config())
    for offset, event in enumerate(events):
        engine.apply(event, 0, offset, event.at)
    return engine


@given(st.lists(st.integers(0, 2 * SEEN), max_size=3 * SEEN), st.lists(st.integers(0, 9), min_size=1, max_size=9))
def test_messages_counted_twice_are_no_more_than_those_unverifiable(order_of: list[int], gaps: list[int]) -> None:
    events = [view(number, number * gaps[number % len(gaps)]) for number in [*range(SEEN), *order_of]]
    engine = fed(events)
    twice = engine.profiles["c"].events - len({event.message for event in events})
    assert 0 <= twice <= engine.unverifiable


@given(st.lists(st.integers(0, 2 * LEDGER), max_size=3 * LEDGER))
def test_orders_counted_twice_are_no_more_than_those_unverifiable(order_of: list[int]) -> None:
    numbers = [*range(LEDGER), *order_of]
    engine = fed([order(number, message, 1_000 * number) for message, number in enumerate(numbers)])
    twice = engine.profiles["c"].orders_total - len(set(numbers))
    assert twice <= engine.unverifiable


def test_in_a_log_that_is_in_order_everything_is_verified() -> None:
    events = [view(number, number) for number in range(3 * SEEN)]
    repeats = events[-SEEN:]
    engine = fed([*events, *repeats])
    assert (engine.unverifiable, engine.repeated) == (0, SEEN)


def test_a_refund_of_a_forgotten_order_is_unverifiable_and_that_of_a_known_one_is_not() -> None:
    orders = [order(number, number, number) for number in range(LEDGER + 1)]
    known, forgotten = (order(number, 1_000 + number, 10_000, Behaviour.REFUND) for number in (LEDGER, 0))
    assert fed([*orders, known]).unverifiable == 0
    assert fed([*orders, forgotten]).unverifiable == 1
