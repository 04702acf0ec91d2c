"""Items that may come next in a session, and what each source says of them: the input of the ranker.

Sources: neighbouring sessions (Garg et al. 2019, STAN; Ludewig et al. 2018, VS-kNN), twice, narrow and wide; what
comes after and before the last items; what is two steps away in that graph; popularity; the session itself.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online.recommend.covisits import AFTER, BEFORE, NEXT
from online.recommend.memory import Memory

# Of single or double precision: what becomes of mixing them is not typed.
Floats = NDArray[Any]
Slots = NDArray[np.int64]

RECENT: Final = 10
STEPS: Final = 6
FADE: Final = 0.5
SMOOTH: Final = 1.0


@dataclass(frozen=True, slots=True)
class Neighbours:
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


DAY: Final = 86_400_000
NARROW: Final = Neighbours(most=800, position=0.8, distance=0.75, half_ms=33 * DAY, before=0.7, idf=0.5)
WIDE: Final = Neighbours(most=2_000, position=0.25, distance=0.3, half_ms=800 * DAY, before=1.0, idf=1.0)
PER_ITEM: Final = 2_000
HUBS: Final = 30

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


def features_count() -> int:
    """The columns of `Found.features`."""
    return len(COLUMNS) + 2 * CONDITIONED + 2


def find(memory: Memory, session: list[int], at: int) -> Found:
    """The candidates after `session` (slots, oldest first, not empty) as of `at` (epoch ms)."""
    size = len(memory.hot)
    last = session[-1]
    narrow, wide = _neighbours(memory, session[-RECENT:], at, size)
    after, before, near = _companions(memory, session, size)
    two = _two_steps(memory, near, size)
    picked = [_top(narrow, 80), _top(wide, 50), _top(after, 40), _top(before, 30), _top(two, 60)]
    slots = np.unique(np.concatenate([*picked, np.array(session)]))
    columns = np.empty((len(slots), len(COLUMNS)), np.float32)
    columns[:, 0] = _share(narrow, slots, 1e-4)
    columns[:, 1] = _share(wide, slots, 1e-4)
    columns[:, 2] = _log(after[slots], 1e-3)
    columns[:, 3] = _log(before[slots], 1e-3)
    columns[:, 4:7] = _log(_of(memory, last, slots), 1e-3)
    columns[:, 7] = _share(two, slots, 1e-4)
    columns[:, 8] = _log(_of(memory, session[-2], slots)[:, NEXT], 1e-3) if len(session) > 1 else 0.0
    columns[:, 9:13] = memory.standing(slots, at)
    columns[:, 13:19] = _own(session, slots)
    length = np.float32(np.log(len(session)) - 1.0)
    known = np.float32(np.log1p(memory.sessions.count(last)) / 3.0 - 1.0)
    given = np.empty((len(slots), 2), np.float32)
    given[:] = (length, known)
    first = columns[:, :CONDITIONED]
    features = np.concatenate([columns, first * length, first * known, given], axis=1)
    return Found(slots, features, np.zeros(0, np.float32))


def _neighbours(memory: Memory, recent: list[int], at: int, size: int) -> tuple[Floats, Floats]:
    """Every item's weight in the sessions like this one, narrowly and widely seen."""
    sessions = memory.sessions
    position = {slot: len(recent) - i for i, slot in enumerate(recent)}
    postings = [sessions.of(slot, PER_ITEM) for slot in position]
    serials = np.concatenate(postings)
    if not len(serials):
        return np.zeros(size), np.zeros(size)
    counts = [len(posting) for posting in postings]
    which = np.repeat(np.arange(len(counts)), counts)
    unique, inverse = np.unique(serials, return_inverse=True)
    rows = unique % sessions.rows
    age = np.maximum(at - sessions.at[rows], 0)
    places = np.array(list(position.values()))
    rarity = np.log(np.maximum(sessions.held, 2) / np.maximum(counts, 1))
    depth = memory.depth(position)
    found = []
    for how in (NARROW, WIDE):
        weights = np.exp(-how.position * (places - 1)) * rarity**how.idf
        common = np.bincount(inverse, weights[which], len(unique))
        alike = common * np.exp2(-age / how.half_ms) / np.sqrt(sessions.lengths[rows])
        best = np.argpartition(-alike, how.most)[: how.most] if len(alike) > how.most else slice(None)
        found.append(_spread(sessions.items[rows[best]], alike[best], depth, how, size))
    memory.clear_depth(position)
    return found[0], found[1]


def _spread(items: NDArray[np.int32], alike: Floats, depth: NDArray[np.int16], how: Neighbours, size: int) -> Floats:
    """Every item's weight in these sessions [n, length], by its distance to the newest item in common."""
    length = items.shape[1]
    columns = np.arange(length)
    # The last column that holds the newest of the common items: what is newer in the session has the larger depth.
    common = length - 1 - depth[items][:, ::-1].argmax(1)
    steps = columns[None, :] - common[:, None]
    table = np.zeros(2 * length - 1)
    away = np.arange(1, length)
    table[length:] = np.exp(-how.distance * (away - 1))
    table[: length - 1] = how.before * np.exp(-how.distance * (away[::-1] - 1))
    weights = table[steps + length - 1] * alike[:, None]
    # The padding, -1, is counted as the item before the first.
    return np.bincount(items.ravel() + 1, weights.ravel(), size + 1)[1:]


def _companions(memory: Memory, session: list[int], size: int) -> tuple[Floats, Floats, Floats]:
    """What came after, and before, the session's last items, and both, each a share of all that did."""
    covisits = memory.covisits
    newest = np.array(session[: -STEPS - 1 : -1])
    fade = FADE ** np.arange(len(newest))
    ids = covisits.ids[newest]
    counts = covisits.counts[newest]
    totals = covisits.totals[newest] + memory.smooth
    place = ids.ravel() + 1
    after = counts[:, :, AFTER] * (fade / totals[:, AFTER])[:, None]
    before = counts[:, :, BEFORE] * (fade / totals[:, BEFORE])[:, None]
    both = counts[:, :, AFTER] + counts[:, :, BEFORE]
    both = both * (fade / (totals[:, AFTER] + totals[:, BEFORE]))[:, None]
    found = [np.bincount(place, weights.ravel(), size + 1)[1:] for weights in (after, before, both)]
    return found[0], found[1], found[2]


def _two_steps(memory: Memory, near: Floats, size: int) -> Floats:
    """What goes with what goes with the session's last items."""
    covisits = memory.covisits
    hubs = _top(near, HUBS)
    counts = covisits.counts[hubs]
    totals = covisits.totals[hubs, AFTER] + covisits.totals[hubs, BEFORE] + memory.smooth
    weights = (counts[:, :, AFTER] + counts[:, :, BEFORE]) * (near[hubs] / totals)[:, None]
    return np.bincount(covisits.ids[hubs].ravel() + 1, weights.ravel(), size + 1)[1:]


def _of(memory: Memory, slot: int, slots: Slots) -> Floats:
    """What came after, before and right after this item, for each of `slots`, as shares."""
    covisits = memory.covisits
    ids = covisits.ids[slot]
    found = np.zeros((len(slots), 3), np.float32)
    kept = np.flatnonzero(ids >= 0)
    place = np.searchsorted(slots, ids[kept])
    place[place == len(slots)] = 0
    right = slots[place] == ids[kept]
    found[place[right]] = covisits.counts[slot][kept[right]]
    shares: Floats = found / (covisits.totals[slot] + memory.smooth)
    return shares


def company(memory: Memory, seeds: list[int], slots: list[int]) -> Floats:
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
    """The slots of the highest positive scores."""
    some = np.flatnonzero(scores)
    if len(some) > most:
        values = scores[some]
        some = some[np.argpartition(-values, most)[:most]]
    return some


def _share(scores: Floats, slots: Slots, unit: float) -> Floats:
    total = float(scores.sum())
    return _log(scores[slots] / total if total > 0.0 else scores[slots], unit)


def _log(values: Floats, unit: float) -> Floats:
    found: Floats = np.log1p(values / unit)
    return found
