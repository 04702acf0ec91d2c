"""What BERT reads of an example."""

from typing import Final

from inference.bins import Bins
from inference.rhythm import rhythm
from inference.story import MAX_MOMENTS, review, told, with_numbers
from inference.train.examples import Row
from schemas.hashing import hash64
from schemas.outputs import Features

# One story in so many is cut short in training, to fewer than so many behaviours.
CUT: Final = 5
SHORT: Final = 12


def text(row: Row, bins: Bins) -> str:
    """Numbers and story, or a review's words."""
    if row.snapshot is None:
        return review(row.text or "")
    return with_numbers(_story(row), row.snapshot.features, bins)


def cut(row: Row, bins: Bins) -> str:
    """What training reads of an example: one story in `CUT` tells of a few of the newest behaviours only.

    A story holds so many behaviours, and in a shop where customers browse few of them are orders. Who has learned from
    whole stories alone takes a regular customer whose orders are not told of for a new one.
    """
    if row.snapshot is None or row.text is not None:
        return text(row, bins)
    lot = hash64(row.snapshot.id)
    most = lot // CUT % SHORT if lot % CUT == 0 else MAX_MOMENTS
    return with_numbers(told(row.snapshot, most), row.snapshot.features, bins)


def numbers(row: Row) -> Features:
    """All that a bin may read of an example: the registered features, and what the story's words tell."""
    return {} if row.snapshot is None else {**row.snapshot.features, **rhythm(_story(row))}


def _story(row: Row) -> str:
    if row.text is not None:
        return row.text
    return "" if row.snapshot is None else told(row.snapshot)
