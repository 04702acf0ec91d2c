"""What the horizon join knows of one customer: her orders, and of each day the prediction that was kept."""

import msgspec
from msgspec import Struct, field

from online.orders import Change, Orders
from schemas.behaviours import Behaviour


class Kept(Struct, array_like=True):
    """The prediction kept for one day, and which of its targets have matured."""

    at: int
    score: str
    done: list[str]


class History(Struct):
    """What the join knows of one customer.

    `days` holds the kept prediction of each of the newest days, and `closed` the newest day that was dropped.
    Until `ended` (-1: never) it was a device whose behaviour is somebody else's now: no prediction of then is judged.
    `touched` is the stage's clock when it last changed.
    """

    orders: Orders = field(default_factory=Orders)
    days: dict[int, Kept] = field(default_factory=dict)
    closed: int = -1
    ended: int = -1
    touched: int = 0


class _OlderPurchase(Struct, array_like=True):
    at: int
    order: int
    cancelled: bool = False


class _Older(Struct):
    """A history as it was before amounts were told; a cancellation counted whenever it was."""

    purchases: list[_OlderPurchase] = field(default_factory=list)
    forgotten: int = -1
    cancelled: list[int] = field(default_factory=list)


_histories = msgspec.msgpack.Decoder(History)
_older = msgspec.msgpack.Decoder(_Older)


def decode_history(raw: bytes) -> History:
    """A stored history, one of an older version as well; raises `msgspec.DecodeError` for anything else."""
    history = _histories.decode(raw)
    if b"purchases" in raw:
        older, orders = _older.decode(raw), history.orders
        orders.forgotten = older.forgotten
        for known in older.purchases:
            orders.place(known.at, known.order)
        gone = [(known.order, known.at) for known in older.purchases if known.cancelled]
        for number, at in [*gone, *((number, 0) for number in older.cancelled)]:
            orders.change(number, Change(at, 0, Behaviour.CANCEL, -1))
    history.touched = history.touched or max(history.orders.newest, *(k.at for k in history.days.values()), 0)
    return history
