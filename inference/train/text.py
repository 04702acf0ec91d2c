"""What BERT reads of an example."""

from inference.bins import Bins
from inference.rhythm import rhythm
from inference.story import review, told, with_numbers
from inference.train.examples import Row
from schemas.outputs import Features


def text(row: Row, bins: Bins) -> str:
    """Numbers and story, or a review's words."""
    if row.snapshot is None:
        return review(row.text or "")
    return with_numbers(_story(row), row.snapshot.features, bins)


def numbers(row: Row) -> Features:
    """All that a bin may read of an example: the registered features, and what the story's words tell."""
    return {} if row.snapshot is None else {**row.snapshot.features, **rhythm(_story(row))}


def _story(row: Row) -> str:
    if row.text is not None:
        return row.text
    return "" if row.snapshot is None else told(row.snapshot)
