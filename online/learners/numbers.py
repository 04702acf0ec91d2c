"""Arrays as text in a snapshot, and back with nothing believed: their type, length and range are checked."""

import base64
import binascii
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def to_text(array: Array) -> str:
    """The array's little-endian bytes as base64."""
    return base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()


def from_text(text: str, dtype: str, length: int, what: str, low: float, high: float) -> Array:
    """`length` numbers within `low` and `high` (so finite); raises ValueError that names `what` for anything else."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"the state's {what} is no base64: {error}") from error
    kind = np.dtype(dtype).newbyteorder("<")
    if len(raw) != length * kind.itemsize:
        raise ValueError(f"the state's {what} has {len(raw)} bytes, not {length * kind.itemsize}")
    array = np.frombuffer(raw, kind).astype(dtype)
    # A comparison with NaN is false: what is not a number is out of range.
    if not bool(np.all((array >= low) & (array <= high))):
        raise ValueError(f"the state's {what} has numbers out of range")
    return array
