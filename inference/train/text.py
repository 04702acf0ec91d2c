"""What BERT reads of an example."""

from inference.bins import Bins
from inference.story import numbers, review, told
from inference.train.examples import Row


def text(row: Row, bins: Bins) -> str:
    """Numbers and story, or a review's words."""
    if row.snapshot is None:
        return review(row.text or "")
    story = told(row.snapshot) if row.text is None else row.text
    return f"{numbers(row.snapshot.features, bins)} {story}".strip()
