"""Window counters: sparse bucket counts at four resolutions, kept in one dict and pruned as time passes.

A counter's key packs bucket number, resolution and group into one integer, its value is an integer sum. Adding is
commutative and takes back exactly what it added, so the order of events never matters.
"""

from collections.abc import Iterable

from schemas.features import DAY_MS, HOUR_MS

Counters = dict[int, int]

# (bucket length in ms, buckets kept): 5 minutes for an hour, hours for a day, days for 30, weeks for 13.
LEVELS = ((300_000, 12), (HOUR_MS, 24), (DAY_MS, 30), (7 * DAY_MS, 13))
MINUTES, HOURS, DAYS, WEEKS = range(4)

# Groups 0 to 19 are behaviours; these count money and goods.
SPEND, DISCOUNT, PIECES = 24, 25, 26
_GROUP_BITS = 5
_LEVEL_BITS = 2
_SHIFT = _GROUP_BITS + _LEVEL_BITS
_GROUP_MASK = (1 << _GROUP_BITS) - 1
_LEVEL_MASK = (1 << _LEVEL_BITS) - 1


def add(counters: Counters, at: int, group: int, amount: int = 1, levels: Iterable[int] = (0, 1, 2, 3)) -> None:
    """Add `amount` to `group` in the bucket of time `at` (ms) at each level; a sum of zero leaves no counter."""
    for level in levels:
        key = (at // LEVELS[level][0] << _SHIFT) | (level << _GROUP_BITS) | group
        total = counters.get(key, 0) + amount
        if total:
            counters[key] = total
        else:
            counters.pop(key, None)


def prune(counters: Counters, clock: int) -> None:
    """Drop what no window that ends at or after `clock` can see."""
    oldest = [clock // length - kept for length, kept in LEVELS]
    for key in [k for k in counters if k >> _SHIFT <= oldest[(k >> _GROUP_BITS) & _LEVEL_MASK]]:
        del counters[key]


# (name, level, first age, age after the last): the windows that features read.
_WINDOWS = (
    ("1h", MINUTES, 0, 12),
    ("1d", HOURS, 0, 24),
    ("7d", DAYS, 0, 7),
    ("7d before", DAYS, 7, 14),
    ("30d", DAYS, 0, 30),
    ("4w", WEEKS, 0, 4),
    ("4w before", WEEKS, 4, 8),
    ("90d", WEEKS, 0, 13),
)
# For each level and age, the windows that a bucket of that age belongs to.
_MEMBERS = tuple(
    tuple(
        tuple(index for index, (_, at, start, stop) in enumerate(_WINDOWS) if at == level and start <= age < stop)
        for age in range(kept)
    )
    for level, (_, kept) in enumerate(LEVELS)
)
_INDEX = {name: index for index, (name, *_) in enumerate(_WINDOWS)}


class Sums:
    """Every window of one profile as of `now`, summed in a single pass over its counters."""

    __slots__ = ("_sums", "active_days")

    def __init__(self, counters: Counters, now: int) -> None:
        current = [now // length for length, _ in LEVELS]
        sums = [[0] * (_GROUP_MASK + 1) for _ in _WINDOWS]
        days: set[int] = set()
        for key, value in counters.items():
            level = (key >> _GROUP_BITS) & _LEVEL_MASK
            age = current[level] - (key >> _SHIFT)
            members = _MEMBERS[level]
            if 0 <= age < len(members):
                group = key & _GROUP_MASK
                for index in members[age]:
                    sums[index][group] += value
                if level == DAYS and group < SPEND:
                    days.add(age)
        self._sums = sums
        self.active_days = days

    def over(self, window: str, group: int) -> int:
        """Sum of a group over a window."""
        return self._sums[_INDEX[window]][group]

    def behaviours(self, window: str) -> int:
        """Sum over all behaviours."""
        return sum(self._sums[_INDEX[window]][:SPEND])
