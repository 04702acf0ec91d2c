"""Numbers that a story tells: how long ago the latest orders were, the gaps between them, and what follows from these.

They are read off the story's words, so that a snapshot and a story of which only the words were kept say the same.
No registered feature has them: it knows the mean of the gaps between orders and their deviation, not the gaps.
"""

import re
from itertools import pairwise
from typing import Final

from schemas.outputs import Features

# How a story says that she ordered.
BOUGHT: Final = "bought"
PREFIX: Final = "story."
# The newest order but one and so on; that of the newest is the feature days_since_order.
AGES: Final = (2, 3, 4, 5, 7, 9, 13, 17)
GAPS: Final = (1, 2, 3, 4, 5, 6)
# Days within which earlier silences, as long as the present one already is, came to an end.
ENDS: Final = (7, 30)
LONGER: Final = f"{PREFIX}longer"
NAMES: Final = (
    *(f"{PREFIX}ago_{n}" for n in AGES),
    *(f"{PREFIX}gap_{n}" for n in GAPS),
    *(f"{PREFIX}ends_{n}" for n in ENDS),
    LONGER,
)

_ORDERED: Final = re.compile(rf"(?:^|, )(?:now|(\d+)([hd])) {BOUGHT}\b")


def rhythm(words: str) -> Features:
    """The numbers of a story's words (see `story.told`), in whole days; None where it tells of too few orders.

    `longer` counts the gaps at least as long as the present silence, `ends_7` is the share of them that were over
    within 7 days more: how likely she is to come, by her own past (the empirical hazard, Kaplan and Meier 1958).

    >>> told = rhythm("5d bought milk 12, 8d bought tea 4, 9d viewed tea, 15d bought ham 9, 90d bought ham 9")
    >>> told["story.ago_2"], told["story.gap_1"], told["story.gap_2"], told["story.gap_4"]
    (8.0, 3.0, 7.0, None)
    >>> told["story.longer"], told["story.ends_7"]
    (2.0, 0.5)
    """
    ages = [float(count) if unit == "d" else 0.0 for count, unit in _ORDERED.findall(words)]
    gaps = [older - newer for newer, older in pairwise(ages)]
    found: Features = {f"{PREFIX}ago_{n}": ages[n - 1] if n <= len(ages) else None for n in AGES}
    found |= {f"{PREFIX}gap_{n}": gaps[n - 1] if n <= len(gaps) else None for n in GAPS}
    longer = [gap for gap in gaps if gap >= ages[0]]
    ended = {n: sum(gap < ages[0] + n for gap in longer) for n in ENDS} if longer else {}
    found |= {f"{PREFIX}ends_{n}": ended[n] / len(longer) if longer else None for n in ENDS}
    return found | {LONGER: float(len(longer)) if gaps else None}


def of_story(name: str) -> bool:
    """Whether a bin's name is one of these."""
    return name.startswith(PREFIX)


def meaning(name: str) -> str:
    """What a number is, in words.

    >>> meaning("story.ago_2"), meaning("story.gap_1")
    ("days since the story's order 2, from the newest", "days between the story's orders 1 and 2")
    """
    kind, _, number = name.removeprefix(PREFIX).partition("_")
    if kind == "ago":
        return f"days since the story's order {number}, from the newest"
    if kind == "gap":
        return f"days between the story's orders {number} and {int(number) + 1}"
    if kind == "ends":
        return f"of the story's gaps between orders at least as long as the silence now, over within {number} days more"
    return "the story's gaps between orders that were at least as long as the silence now"
