"""When a customer is usually active, out of her latest behaviours."""

from collections.abc import Sequence
from typing import Final

from schemas.features import HOUR_MS

HOURS: Final = 24
ENOUGH: Final = 5
# An hour's neighbours count half: somebody active at 19:50 and 20:10 has one usual hour, not two.
_WEIGHTS: Final = ((-1, 1), (0, 2), (1, 1))


def usual_hour(times: Sequence[int]) -> int | None:
    """The hour of the day (UTC, 0 to 23) with most behaviours around it; of equal ones the latest behaviour's.

    `times` are epoch ms, oldest first. None below `ENOUGH` of them: a few visits are no rhythm.

    >>> usual_hour([19 * HOUR_MS, 20 * HOUR_MS, 20 * HOUR_MS, 21 * HOUR_MS, 3 * HOUR_MS])
    20
    """
    if len(times) < ENOUGH:
        return None
    hours = [at // HOUR_MS % HOURS for at in times]
    near = [0] * HOURS
    for hour in hours:
        for step, weight in _WEIGHTS:
            near[(hour + step) % HOURS] += weight
    most = max(near)
    return next((hour for hour in reversed(hours) if near[hour] == most), near.index(most))


def next_at(hour: int, after: int) -> int:
    """The first time at or after `after` (epoch ms) in the hour of the day `hour` (UTC): `after` itself where it is.

    >>> next_at(18, 17 * HOUR_MS + 5) == 18 * HOUR_MS, next_at(18, 18 * HOUR_MS + 5) == 18 * HOUR_MS + 5
    (True, True)
    """
    if after // HOUR_MS % HOURS == hour:
        return after
    start = after - after % HOUR_MS
    return start + (hour - after // HOUR_MS) % HOURS * HOUR_MS
