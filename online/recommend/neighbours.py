"""The sessions most like one, twice, narrowly and widely seen, and what they say of items.

Sources: Garg et al. 2019 (STAN) and Ludewig et al. 2018 (VS-kNN) for the weights; Kersbergen et al. 2022 (Serenade) for
looking at the newest sessions of each item alone, which bounds an answer's work whatever the index holds.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online.recommend.memory import DAY, Memory
from online.recommend.sessions import LENGTH

# Of single or double precision: what becomes of mixing them is not typed.
Floats = NDArray[Any]
Whole = NDArray[np.int64]

RECENT: Final = 10
PER_ITEM: Final = 2_000


@dataclass(frozen=True, slots=True)
class View:
    """How sessions are found alike: `position` is how fast the weight of an item falls with every later one,
    `distance` the same with every step from the last common item, `half_ms` the half-life of a session, `before` the
    weight of what lies before the common item, `idf` the power of the rarity of common items.
    """

    most: int
    position: float
    distance: float
    half_ms: float
    before: float
    idf: float

    def by_steps(self) -> Floats:
        """The weight of an item by its steps from the common one, from 1 - `LENGTH` to `LENGTH` - 1; its own is 0."""
        steps = np.arange(1 - LENGTH, LENGTH)
        weights = np.exp(-self.distance * (np.abs(steps) - 1.0))
        found: Floats = np.where(steps > 0, weights, self.before * weights) * (steps != 0)
        return found


NARROW: Final = View(most=800, position=0.8, distance=0.75, half_ms=33 * DAY, before=0.7, idf=0.5)
WIDE: Final = View(most=2_000, position=0.25, distance=0.3, half_ms=800 * DAY, before=1.0, idf=1.0)
_STEPS: Final = (NARROW.by_steps(), WIDE.by_steps())


class Company(NamedTuple):
    """Items of neighbouring sessions [n], each as often as it occurs, and its weight there by either view."""

    slots: Whole
    narrow: Floats
    wide: Floats


NOBODY: Final = Company(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def company(memory: Memory, session: list[int], at: int) -> Company:
    """The items of the sessions most like this one (slots, oldest first) as of `at` (epoch ms)."""
    sessions = memory.sessions
    steps: dict[int, int] = {}
    for step, slot in enumerate(reversed(session[-RECENT:])):
        steps.setdefault(slot, step)
    # Oldest first: of what a session has in common with this one, the newest is written last, and stands.
    common = list(reversed(steps))
    postings = [sessions.of(slot, PER_ITEM) for slot in common]
    counts = np.array([len(posting) for posting in postings])
    rows, place = memory.rows.number(sessions.row(np.concatenate(postings)), sessions.rows)
    if not len(rows):
        return NOBODY
    newest = np.empty(len(rows), np.int64)
    newest[place] = np.repeat(np.array(common), counts)
    age = np.maximum(at - sessions.at[rows], 0).astype(np.float32)
    size = np.sqrt(sessions.lengths[rows])
    rarity = np.log(max(sessions.held, 2) / np.maximum(counts, 1))
    away = np.array([steps[slot] for slot in common])
    alike = np.zeros((2, len(rows)))
    for found, view in zip(alike, (NARROW, WIDE), strict=True):
        weights = np.exp(-view.position * away) * rarity**view.idf
        each = np.bincount(place, np.repeat(weights, counts), len(rows))
        each *= np.exp2(age * np.float32(-1.0 / view.half_ms)) / size
        best = np.argpartition(-each, view.most)[: view.most] if len(each) > view.most else slice(None)
        found[best] = each[best]
    kept = np.flatnonzero(alike.any(0))
    return _items(memory, rows[kept], newest[kept], alike[:, kept])


def _items(memory: Memory, rows: Whole, common: Whole, alike: Floats) -> Company:
    """The items of these sessions [n]: weighed by how `alike` [2, n] they are and by steps from the `common` one."""
    sessions = memory.sessions
    lengths = sessions.lengths[rows]
    ends = np.cumsum(lengths)
    which = np.repeat(np.arange(len(rows)), lengths)
    column = np.arange(len(which)) - np.repeat(ends - lengths, lengths)
    slots = sessions.items[rows[which], column].astype(np.int64)
    same = np.flatnonzero(slots == common[which])
    last = np.zeros(len(rows), np.int64)
    last[which[same]] = column[same]
    steps = column - last[which] + (LENGTH - 1)
    narrow, wide = (table[steps] * weights[which] for table, weights in zip(_STEPS, alike, strict=True))
    return Company(slots, narrow, wide)
