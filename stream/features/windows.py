"""Window counters: sparse bucket counts, the newest behaviour fine, the older coarse, kept in one dict.

A counter's key packs bucket number, level and group into one integer, its value is an integer sum. An event is added to
one bucket, of the finest level; `prune` folds buckets into the next coarser level once no finer window can see them. So
a sum over a window is exact, adding is commutative, and what is taken back leaves nothing, however late it comes.
"""

from functools import lru_cache

from schemas.features import DAY_MS, HOUR_MS

Counters = dict[int, int]

# (bucket length in ms, buckets kept): 5 minutes for an hour, hours for a day, days for 30, weeks for 13. Each length
# divides the next, so that a bucket lies in just one of every coarser level.
LEVELS = ((300_000, 12), (HOUR_MS, 24), (DAY_MS, 30), (7 * DAY_MS, 13))
MINUTES, HOURS, DAYS, WEEKS = range(4)

# Groups 0 to 19 are behaviours; these count money and goods, which no window below a day reads.
SPEND, DISCOUNT, PIECES = 24, 25, 26
_GROUP_BITS = 5
_LEVEL_BITS = 2
_SHIFT = _GROUP_BITS + _LEVEL_BITS
_GROUP_MASK = (1 << _GROUP_BITS) - 1
_LEVEL_MASK = (1 << _LEVEL_BITS) - 1
_FINEST = LEVELS[MINUTES][0]


def add(counters: Counters, at: int, group: int, amount: int = 1) -> None:
    """Add `amount` to `group` in the finest bucket of time `at` (ms); a sum of zero leaves no counter."""
    key = at // _FINEST << _SHIFT | group
    if group >= SPEND:
        key = at // DAY_MS << _SHIFT | DAYS << _GROUP_BITS | group
    total = counters.get(key, 0) + amount
    if total:
        counters[key] = total
    else:
        counters.pop(key, None)


def prune(counters: Counters, clock: int) -> None:
    """Fold what no finer window that ends at or after `clock` can see, and drop what none can."""
    # A coarser bucket sorts by the time it starts at too, so that only those behind the newest kept are looked at.
    oldest = [clock // length - kept for length, kept in LEVELS]
    aged = [key for key in counters if key >> _SHIFT <= oldest[key >> _GROUP_BITS & _LEVEL_MASK]]
    for key in aged:
        _fold(counters, key, counters.pop(key), oldest)


def _fold(counters: Counters, key: int, amount: int, oldest: list[int]) -> None:
    bucket, level = key >> _SHIFT, key >> _GROUP_BITS & _LEVEL_MASK
    while bucket <= oldest[level]:
        if level == WEEKS:
            return
        bucket = bucket * LEVELS[level][0] // LEVELS[level + 1][0]
        level += 1
    coarser = bucket << _SHIFT | level << _GROUP_BITS | key & _GROUP_MASK
    total = counters.get(coarser, 0) + amount
    if total:
        counters[coarser] = total
    else:
        counters.pop(coarser, None)


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
INDEX = {name: index for index, (name, *_) in enumerate(_WINDOWS)}
_TOTAL = _GROUP_MASK  # where each window keeps its sum over all behaviours


@lru_cache(maxsize=1 << 14)
def _membership(bucket: int, now: int) -> tuple[tuple[int, ...], int | None]:
    """The windows that a bucket (with its level) lies in as of the finest bucket `now`, and its day if it has one."""
    finest = bucket & _LEVEL_MASK
    start = (bucket >> _LEVEL_BITS) * LEVELS[finest][0]
    found: list[int] = []
    for level in range(finest, len(LEVELS)):
        length, kept = LEVELS[level]
        age = now * _FINEST // length - start // length
        if 0 <= age < kept:
            found += _MEMBERS[level][age]
    return tuple(found), start // DAY_MS if finest <= DAYS else None


class Sums:
    """Every window of one profile as of `now`, which no `prune` was ahead of; summed in a single pass."""

    __slots__ = ("active_days", "windows")

    def __init__(self, counters: Counters, now: int) -> None:
        if counters and min(counters.values()) < 0:
            # What was taken back may lie in a finer bucket than what it was taken from: fold them together.
            counters = dict(counters)
            prune(counters, now)
        windows = [[0] * (_TOTAL + 1) for _ in _WINDOWS]
        days: set[int | None] = set()
        finest = now // _FINEST
        for key, value in counters.items():
            group = key & _GROUP_MASK
            members, day = _membership(key >> _GROUP_BITS, finest)
            if group < SPEND:
                days.add(day)
                for index in members:
                    window = windows[index]
                    window[group] += value
                    window[_TOTAL] += value
            else:
                for index in members:
                    windows[index][group] += value
        self.windows = windows
        ages = {now // DAY_MS - day for day in days if day is not None}
        self.active_days = {age for age in ages if 0 <= age < LEVELS[DAYS][1]}

    def over(self, window: str, group: int) -> int:
        """Sum of a group over a window."""
        return self.windows[INDEX[window]][group]

    def behaviours(self, window: str) -> int:
        """Sum over all behaviours."""
        return self.windows[INDEX[window]][_TOTAL]
