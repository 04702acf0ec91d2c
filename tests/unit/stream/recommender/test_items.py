"""Snapshots of the item index: whole or none, each interaction once, and no customer in them."""

import msgspec
import pytest

from online.index import ItemIndex
from online.recommend import state
from schemas.behaviours import Behaviour
from schemas.outputs import Interaction, encode
from stream.recommender import snapshot
from stream.recommender.items import Items
from stream.recommender.snapshot import HEAD, Parts, cut


class Record:
    """A record of `interactions` on partition 0."""

    def __init__(self, offset: int, customer: str, item: str | None, behaviour: Behaviour = Behaviour.VIEW) -> None:
        self._offset = offset
        self._customer = customer
        self._said = item and Interaction(
            customer=customer, session=1, item=item, behaviour=behaviour, at=1_000 + offset
        )

    def key(self) -> bytes:
        return self._customer.encode()

    def value(self) -> bytes | None:
        return encode(self._said) if self._said else None

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


LOG = [Record(n, f"customer-{n % 5}", f"i{n % 7}") for n in range(60)]
LOG += [Record(60, "customer-1", "i3", Behaviour.ORDER), Record(61, "customer-2", None)]


def followed(log: list[Record], items: Items | None = None) -> Items:
    items = items or Items()
    for record in log:
        items.accept(record)
    return items


def parts(items: Items, generation: int = 1) -> Parts:
    found = Parts()
    for key, value in cut(state.dump(items.index, customers=False), generation, items.offsets, 5):
        found.accept(key, value)
    return found


def session(items: Items, customer: str) -> list[str]:
    shopper = items.index.shoppers.find(customer)
    return [] if shopper is None else shopper.items


@pytest.mark.parametrize("taken", [0, 30, 62])
def test_from_a_snapshot_the_log_gives_the_same_items_and_customers(taken: int) -> None:
    whole = followed(LOG)
    restored = Items()
    restored.restore(parts(followed(LOG[:taken])))
    followed(LOG, restored)
    assert restored.offsets == whole.offsets == {0: 62}
    assert restored.index.memory.popular.tolist() == whole.index.memory.popular.tolist()
    assert restored.index.memory.covisits.totals.tolist() == whole.index.memory.covisits.totals.tolist()
    assert restored.index.bought("customer-1") == whole.index.bought("customer-1") != {}
    for n in range(5):
        assert session(restored, f"customer-{n}") == session(whole, f"customer-{n}")
    assert restored.index.shoppers.find("customer-2") is None


def test_a_snapshot_names_no_customer() -> None:
    items = followed(LOG)
    assert b"customer-" in state.dump(items.index)
    assert b"customer-" not in state.dump(items.index, customers=False)


def test_a_writer_that_dies_before_the_head_leaves_the_generation_before() -> None:
    found = parts(followed(LOG[:30]))
    for key, value in cut(state.dump(followed(LOG).index, customers=False), 2, {0: 62}, 6):
        if key != HEAD:
            found.accept(key, value)
    restored = Items()
    restored.restore(found)
    assert (restored.offsets, restored.generation) == ({0: 30}, 1)


@pytest.mark.parametrize("key", [HEAD, b"1/0"])
@pytest.mark.parametrize("value", [b"", b"{}", b"\x00" * 50, None])
def test_what_is_broken_is_refused_and_the_log_is_read(key: bytes, value: bytes | None) -> None:
    found = parts(followed(LOG))
    found.accept(key, value)
    restored = Items()
    restored.restore(found)
    assert (len(restored.index), restored.offsets) == (0, {})
    assert len(followed(LOG, restored).index) == 7


@pytest.mark.parametrize(
    "older", [{"version": 2}, {"version": 2, "categories": {}}, {"shelf": None}, {"bandit": [1, 0, []]}]
)
def test_a_snapshot_of_another_version_is_refused_and_the_log_is_read(older: dict[str, object]) -> None:
    told = msgspec.msgpack.decode(state.dump(followed(LOG).index, customers=False)) | older
    found = Parts()
    for key, value in cut(msgspec.msgpack.encode(told), 1, {0: 62}, 5):
        found.accept(key, value)
    restored = Items()
    restored.restore(found)
    assert (len(restored.index), restored.offsets) == (0, {})
    assert len(followed(LOG, restored).index) == 7


def test_an_index_larger_than_a_record_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PART_BYTES", 100)
    data = state.dump(followed(LOG).index)
    records = list(cut(data, 3, {0: 62}, 9))
    assert len(records) > 5
    assert [key for key, _ in records][-1] == HEAD
    assert all(len(value) <= 100 for key, value in records if key != HEAD)
    found = Parts()
    for key, value in records:
        found.accept(key, value)
    joined = found.join()
    assert joined is not None
    assert joined[1] == data
    assert len(state.load(joined[1])) == 7


def test_there_may_be_no_snapshot() -> None:
    items = Items()
    items.restore(Parts())
    assert isinstance(items.index, ItemIndex)
    assert items.generation == 0
