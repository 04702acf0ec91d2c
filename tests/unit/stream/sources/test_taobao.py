from pathlib import Path

import pytest

from schemas.behaviours import Behaviour
from schemas.decode import decode
from schemas.errors import OperatorError
from stream.sources import taobao

ROWS = """user_id,item_id,category_id,behavior,ts
7,100,55,pv,1511539217
7,100,55,cart,1511539230
8,200,56,fav,1511539240
7,100,55,buy,1511539300
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "behaviour.csv"
    path.write_text(ROWS)
    return path


def test_each_behaviour_becomes_its_event(log: Path) -> None:
    events = list(taobao.events(log))
    decoded = [decode(event.value, "CNY") for event in events]
    assert [d.behaviour for d in decoded] == [Behaviour.VIEW, Behaviour.CART_ADD, Behaviour.WISHLIST, Behaviour.ORDER]
    assert [e.topic for e in events] == ["clickstream", "clickstream", "clickstream", "orders"]
    assert [e.key for e in events] == [b"tb-7", b"tb-7", b"tb-8", b"tb-7"]
    assert [e.at for e in events] == [d.at for d in decoded]
    assert decoded[3].amount == 0
    assert decoded[3].lines[0].price is None
    assert len({d.message for d in decoded}) == 4


def test_a_known_price_is_the_orders_total(tmp_path: Path) -> None:
    path = tmp_path / "priced.csv"
    path.write_text("user_id,item_id,category_id,behavior,ts,price\n7,100,55,buy,1511539300,19.99\n")
    (event,) = taobao.events(path)
    assert decode(event.value, "CNY").amount == 1999


def test_part_of_the_file(log: Path) -> None:
    assert list(taobao.events(log, limit=3, start=1)) == list(taobao.events(log))[1:3]
    assert taobao.count(log) == 4


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(OperatorError, match="no column user_id, item_id"):
        list(taobao.events(path))


def test_a_broken_row_is_named(log: Path) -> None:
    log.write_text(ROWS + "9,1,1,steal,1511539301\n")
    with pytest.raises(OperatorError, match="row 6"):
        list(taobao.events(log))
