"""Items that may come next in a session, and what each source says of them: the input of the ranker.

Sources: neighbouring sessions, narrow and wide; what comes after and before the last items; what is two steps away in
that graph; popularity; the session itself. What no source names is never looked at: an answer's work is bounded by the
sessions and companions that are read, not by how many items there are.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online.recommend.covisits import AFTER, BEFORE, NEXT
from online.recommend.memory import Memory
from online.recommend.neighbours import company

# Of single or double precision: what becomes of mixing them is not typed.
Floats = NDArray[Any]
Slots = NDArray[np.int64]

STEPS: Final = 6
FADE: Final = 0.5
HUBS: Final = 30
# The most candidates of each source: narrow, wide, after, before, two steps.
MOST: Final = (80, 50, 40, 30, 60)

COLUMNS: Final = (
    "narrow", "wide", "after", "before", "after_last", "before_last", "next_last", "two_steps", "next_previous",
    "hot", "popular", "sessions", "age", "is_last", "is_previous", "is_third", "is_older", "times", "of_length",
)  # fmt: skip
# What depends on the length of the session and on how well its last item is known.
CONDITIONED: Final = 9


class Found(NamedTuple):
    """Candidates: their slots [n], ascending, what is known of each [n, features], and scores [n] once there are."""

    slots: Slots
    features: Floats
    scores: Floats


class _Said(NamedTuple):
    """What a source says: slots, as often as it names them, and weights of each, one array for each column."""

    slots: Slots
    weights: tuple[Floats, ...]


def features_count() -> int:
    """The columns of `Found.features`."""
    return len(COLUMNS) + 2 * CONDITIONED + 2


def find(memory: Memory, session: list[int], at: int) -> Found:
    """The candidates after `session` (slots, oldest first, not empty) as of `at` (epoch ms)."""
    beside = company(memory, session, at)
    near = _companions(memory, session)
    two = _two_steps(memory, near)
    own = np.array(session)
    named = [beside.slots, near.slots, two.slots, own]
    named_slots, place = memory.items.number(np.concatenate(named), memory.size)
    count = len(named_slots)
    by_beside, by_near, by_two, by_own = np.split(place, np.cumsum([len(slots) for slots in named[:-1]]))
    narrow, wide = (np.bincount(by_beside, weights, count) for weights in (beside.narrow, beside.wide))
    after, before = (np.bincount(by_near, weights, count) for weights in near.weights[:2])
    further = np.bincount(by_two, two.weights[0], count)
    picked = np.concatenate(
        [by_own, *(_top(said, most) for said, most in zip((narrow, wide, after, before, further), MOST, strict=True))]
    )
    picked, _ = memory.items.number(picked, memory.size)
    picked = picked[named_slots[picked].argsort()]
    slots = named_slots[picked]
    columns = np.empty((len(slots), len(COLUMNS)), np.float32)
    columns[:, 0] = _share(narrow, picked)
    columns[:, 1] = _share(wide, picked)
    columns[:, 2] = after[picked] * 1e3
    columns[:, 3] = before[picked] * 1e3
    last = _of(memory, session[-1], by_near[: memory.covisits.places], count)
    columns[:, 4:7] = last[picked] * 1e3
    columns[:, 7] = _share(further, picked)
    columns[:, 8] = 0.0
    if len(session) > 1:
        previous = _of(memory, session[-2], by_near[memory.covisits.places : 2 * memory.covisits.places], count)
        columns[:, 8] = previous[picked, NEXT] * 1e3
    np.log1p(columns[:, :CONDITIONED], out=columns[:, :CONDITIONED])
    columns[:, 9:13] = memory.standing(slots, at)
    columns[:, 13:19] = _own(session, slots)
    length = np.float32(np.log(len(session)) - 1.0)
    known = np.float32(np.log1p(memory.sessions.count(session[-1])) / 3.0 - 1.0)
    given = np.empty((len(slots), 2), np.float32)
    given[:] = (length, known)
    first = columns[:, :CONDITIONED]
    features = np.concatenate([columns, first * length, first * known, given], axis=1)
    return Found(slots, features, np.zeros(0, np.float32))


def _companions(memory: Memory, session: list[int]) -> _Said:
    """What came after, and before, the session's last items (newest first), and both, each a share of all that did."""
    covisits = memory.covisits
    newest = np.array(session[: -STEPS - 1 : -1])
    fade = FADE ** np.arange(len(newest))
    counts = covisits.counts[newest]
    totals = covisits.totals[newest] + memory.smooth
    after, before = counts[:, :, AFTER], counts[:, :, BEFORE]
    weights = (
        after * (fade / totals[:, AFTER])[:, None],
        before * (fade / totals[:, BEFORE])[:, None],
        (after + before) * (fade / (totals[:, AFTER] + totals[:, BEFORE]))[:, None],
    )
    return _Said(covisits.ids[newest].ravel().astype(np.int64), tuple(each.ravel() for each in weights))


def _two_steps(memory: Memory, near: _Said) -> _Said:
    """What goes with what goes with the session's last items."""
    covisits = memory.covisits
    slots, place = memory.items.number(near.slots, memory.size)
    strength = np.bincount(place, near.weights[2], len(slots))
    best = _top(strength, HUBS)
    hubs = slots[best]
    counts = covisits.counts[hubs]
    totals = covisits.totals[hubs, AFTER] + covisits.totals[hubs, BEFORE] + memory.smooth
    weights = (counts[:, :, AFTER] + counts[:, :, BEFORE]) * (strength[best] / totals)[:, None]
    return _Said(covisits.ids[hubs].ravel().astype(np.int64), (weights.ravel(),))


def _of(memory: Memory, slot: int, places: Slots, count: int) -> Floats:
    """[count, 3]: what came after, before and right after this item, as shares; `places` are its companions'."""
    covisits = memory.covisits
    found = np.zeros((count, 3), np.float32)
    found[places] = covisits.counts[slot] / (covisits.totals[slot] + memory.smooth)
    return found


def beside(memory: Memory, seeds: list[int], slots: list[int]) -> Floats:
    """[seeds, slots]: the share of what came beside each seed that this item is."""
    covisits = memory.covisits
    ids, counts, totals = covisits.ids[seeds], covisits.counts[seeds], covisits.totals[seeds]
    both = (counts[:, :, AFTER] + counts[:, :, BEFORE]) / (totals[:, AFTER] + totals[:, BEFORE] + memory.smooth)[
        :, None
    ]
    same = ids[:, :, None] == np.array(slots)[None, None, :]
    found: Floats = (same * both[:, :, None]).sum(1)
    return found


def _own(session: list[int], slots: Slots) -> Floats:
    """Where in the session itself each item is, and how often."""
    found = np.zeros((len(slots), 6), np.float32)
    newest = session[::-1]
    length = np.log(len(session))
    for slot in set(session):
        row = found[np.searchsorted(slots, slot)]
        row[min(newest.index(slot), 3)] = 1.0
        row[4] = np.log(session.count(slot))
        row[5] = length
    return found


def _top(scores: Floats, most: int) -> Slots:
    """The places of the highest positive scores."""
    some = np.flatnonzero(scores)
    if len(some) > most:
        values = scores[some]
        some = some[np.argpartition(-values, most)[:most]]
    return some


def _share(scores: Floats, picked: Slots) -> Floats:
    """What these have of all, in ten thousandths."""
    total = float(scores.sum())
    found: Floats = scores[picked] * (1e4 / total if total > 0.0 else 1e4)
    return found
