"""An item index as bytes and back: MessagePack of plain values and arrays, checked when read; nothing in it can run."""

import math
from dataclasses import astuple
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from online.index import ItemIndex
from online.recommend.lists import Waiting
from online.recommend.memory import Bounds, Memory
from online.recommend.ranker import Ranker
from online.recommend.sessions import EMPTY
from online.recommend.shelf import Good
from online.recommend.shoppers import Shopper
from online.recommend.slots import Slots

VERSION: Final = 3
KINDS: Final = {"<i4": np.int32, "<i8": np.int64, "<f4": np.float32, "<f8": np.float64}


class Packed(Struct, frozen=True, array_like=True):
    """An array: its kind (numpy's name, little-endian), shape and bytes."""

    kind: str
    shape: list[int]
    data: bytes


class Learned(Struct, frozen=True):
    """A ranker: how many cases and steps it has learned, and its numbers."""

    cases: int
    steps: int
    arrays: list[Packed]


class Taught(Struct, frozen=True):
    """The bandit: how many choices, lists and successes it has learned from, and its numbers."""

    cases: int
    lists: int
    successes: int
    arrays: list[Packed]


class State(Struct, kw_only=True, forbid_unknown_fields=True):
    """All that an index is made of."""

    version: int
    bounds: list[int]
    names: list[str]
    now: int
    origins: list[int | None]
    next_session: int
    arrays: dict[str, Packed]
    terms: list[str]
    shelf: dict[str, Good]
    shoppers: dict[str, Shopper]
    lists: list[Waiting]
    clocks: dict[int, int]
    steps: int
    orders: int
    rankers: dict[str, Learned]
    bandit: Taught


def dump(index: ItemIndex, *, customers: bool = True) -> bytes:
    """The index as bytes, with the customers or without any.

    The rankers let go of the cases they learn from again, so that a copy goes on alike.
    """
    memory = index.memory
    used = memory.slots.dump()
    arrays = {name: _pack(array) for name, array in _arrays(memory, len(used)).items()}
    bandit = index.bandit
    lists, clocks = index.lists.dump() if customers else ([], {})
    state = State(
        version=VERSION,
        bounds=_bounds(index.bounds),
        names=used,
        now=memory.now,
        origins=memory.origins,
        next_session=memory.sessions.next,
        arrays=arrays,
        terms=memory.searches.terms.dump(),
        shelf=dict(index.shelf),
        shoppers=dict(index.shoppers) if customers else {},
        lists=lists,
        clocks=clocks,
        steps=index.steps,
        orders=index.orders,
        rankers={
            name: Learned(ranker.learned, ranker.steps, [_pack(array) for array in ranker.dump()])
            for name, ranker in _rankers(index).items()
        },
        bandit=Taught(bandit.cases, bandit.lists, bandit.successes, [_pack(array) for array in bandit.dump()]),
    )
    return msgspec.msgpack.encode(state)


def load(data: bytes, bounds: Bounds | None = None, choices: int | None = None) -> ItemIndex:
    """The index of `dump`. Raises ValueError for anything else, and for one of other bounds."""
    try:
        state = msgspec.msgpack.decode(data, type=State)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"not an item index: {error}") from error
    if state.version != VERSION:
        raise ValueError(f"an item index of version {state.version}, not {VERSION}")
    index = ItemIndex(bounds) if choices is None else ItemIndex(bounds, choices)
    if state.bounds != _bounds(index.bounds):
        raise ValueError(f"an item index of other bounds: {state.bounds}, not {_bounds(index.bounds)}")
    _load_memory(index.memory, state)
    if len(state.shoppers) > index.bounds.customers:
        raise ValueError("an item index with more customers than are kept")
    index.shoppers.load(state.shoppers)
    _load_shelf(index, state.shelf)
    index.lists.load(state.lists, state.clocks)
    index.steps, index.orders = state.steps, state.orders
    rankers = _rankers(index)
    if rankers.keys() != state.rankers.keys():
        raise ValueError("an item index with other rankers")
    for name, learned in state.rankers.items():
        arrays = [_unpack(packed, "ranker") for packed in learned.arrays]
        rankers[name].load(arrays, learned.cases, learned.steps)
    told = state.bandit
    index.bandit.load([_unpack(packed, "bandit") for packed in told.arrays], told.cases, told.lists, told.successes)
    return index


def _load_shelf(index: ItemIndex, goods: dict[str, Good]) -> None:
    if len(goods) > index.shelf.limit + len(index):
        raise ValueError("an item index with more items on its shelf than are kept")
    if any(good.price < 0 for good in goods.values()):
        raise ValueError("an item index with prices below nothing")
    index.shelf.load(goods)


def _rankers(index: ItemIndex) -> dict[str, Ranker]:
    return {"sessions": index.sequel.ranker, "baskets": index.baskets.ranker}


def _bounds(bounds: Bounds) -> list[int]:
    return list(astuple(bounds))


def _arrays(memory: Memory, used: int) -> dict[str, NDArray[Any]]:
    rows, terms = memory.sessions.held, len(memory.searches.terms.dump())
    return {
        "hot": memory.hot[:used],
        "popular": memory.popular[:used],
        "seen": memory.seen[:used],
        "ids": memory.covisits.ids[:used],
        "counts": memory.covisits.counts[:used],
        "totals": memory.covisits.totals[:used],
        "items": memory.sessions.items[:rows],
        "at": memory.sessions.at[:rows],
        "term_ids": memory.searches.ids[:terms],
        "term_counts": memory.searches.counts[:terms],
        "term_totals": memory.searches.totals[:terms],
    }


def _load_memory(memory: Memory, state: State) -> None:
    memory.slots = Slots.load(state.names, memory.bounds.items)
    used = len(state.names)
    memory.reserve(used)
    rows = memory.sessions.reserve(state.next_session)
    memory.searches.load(state.terms)
    expected = _arrays(memory, used)
    if state.arrays.keys() != expected.keys():
        raise ValueError("an item index with other arrays")
    for name, target in expected.items():
        given = _unpack(state.arrays[name], name)
        if given.shape != target.shape or given.dtype != target.dtype:
            raise ValueError(f"an item index whose {name} is {given.dtype} {given.shape}, not {target.shape}")
        if given.dtype.kind == "f" and given.size and not (given.min() >= 0.0 and given.max() < math.inf):
            raise ValueError(f"an item index whose {name} has counts that are negative or not finite")
        if name in ("ids", "items", "term_ids") and given.size and not (given.min() >= EMPTY and given.max() < used):
            raise ValueError(f"an item index whose {name} names items that it has not")
        target[:] = given
    if len(state.origins) != len(memory.origins):
        raise ValueError("an item index with other half-lives")
    memory.now, memory.origins = state.now, state.origins
    memory.sessions.index(rows)


def _pack(array: NDArray[Any]) -> Packed:
    kind = array.dtype.newbyteorder("<")
    return Packed(kind.str, list(array.shape), np.ascontiguousarray(array, kind).tobytes())


def _unpack(packed: Packed, name: str) -> NDArray[Any]:
    kind = KINDS.get(packed.kind)
    if kind is None or any(size < 0 for size in packed.shape):
        raise ValueError(f"an item index whose {name} is no array")
    if math.prod(packed.shape) * np.dtype(kind).itemsize != len(packed.data):
        raise ValueError(f"an item index whose {name} is cut off")
    return np.frombuffer(packed.data, packed.kind).reshape(packed.shape).astype(kind)
