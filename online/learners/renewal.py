"""A customer's own past as a predictor: what followed when as much time had passed since her order then as has now.

::

    orders    o-------o--o---------o----------|--- now: silent for 10 days
                    ^          ^      ^
                    like moments: about 10 days after an order; did she order again within the horizon?

No features hold this: they know the mean of her gaps and their deviation, not how likely a gap that has lasted 10 days
is to end within a week. Nothing is learned and nothing is kept: it is a function of the story in the snapshot alone,
so that a customer who is erased leaves nothing here, and every worker says the same.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Moment

# How alike: a normal kernel of this width over the log of the days passed, read at so many points of it.
WIDTH: Final = 0.7
REACH: Final = 2.0
POINTS: Final = 9
# Days after which a like moment counts e times less.
FADE: Final = 90.0
# What others say counts as so many days of like moments.
DOUBT: Final = 10.0
CHURN: Final = "churn"

_HUGE: Final = 100.0
_AWAY: Final = np.linspace(-REACH, REACH, POINTS)
_FACTORS: Final = np.exp(WIDTH * _AWAY)
_DAYS: Final = _FACTORS * np.exp(-(_AWAY**2) / 2) * (WIDTH * 2 * REACH / (POINTS - 1))


class Like(NamedTuple):
    """How many days of like moments there were, weighted, and on how many of them the target came true."""

    days: float
    true: float

    def correct(self, probability: float) -> float:
        """What others say, corrected by her past: the mean of a beta posterior.

        >>> Like(0.0, 0.0).correct(0.3), Like(DOUBT, DOUBT).correct(0.3)
        (0.3, 0.65)
        """
        return (self.true + DOUBT * probability) / (self.days + DOUBT)


# By target; a target that is not there has no like moment.
Past = Mapping[str, Like]
UNKNOWN: Final[Past] = {}


def past(story: Iterable[Moment], at: int, horizons: Mapping[str, int]) -> dict[str, Like]:
    """The like moments by target, for a customer with this story at `at`; `horizons` (ms) are those of the labels.

    `churn` is true where no order followed within the horizon, any other target where one did. Moments of which it was
    not known by `at` what followed are left out. Only the orders that the story still has are seen. Source: a renewal
    process's hazard, by kernel smoothing (Ramlau-Hansen 1983).
    """
    ago = np.array([(at - m.at) / DAY_MS for m in story if m.behaviour is Behaviour.ORDER and m.at <= at])
    if not len(ago) or ago[0] * DAY_MS < min(horizons.values(), default=0):
        return {}
    since = 1.0 + float(ago[-1])
    passed = since * _FACTORS - 1.0
    lasted = np.full(len(ago), np.inf)
    np.subtract(ago[:-1], ago[1:], out=lasted[:-1])
    # Of each order's like moments, [orders, points]: days until the next order, and how long ago they were.
    left, age = lasted[:, None] - passed, ago[:, None] - passed
    # They count exp(-age / FADE), which is a product; its second factor must not overflow where it does not count.
    faded = np.exp(ago * (-1.0 / FADE))
    days = np.exp(np.minimum(passed * (1.0 / FADE), _HUGE)) * (since * _DAYS) * (passed >= 0.0)
    within = np.array([*horizons.values()])[:, None, None] / DAY_MS
    # Of those of which it is known what followed, all and those that an order followed.
    counted = np.empty((2, len(horizons), *age.shape))
    np.logical_and(age >= within, left > 0.0, out=counted[0])
    np.multiply(counted[0], left <= within, out=counted[1])
    known, ordered = counted.reshape(-1, POINTS).dot(days).reshape(-1, len(ago)).dot(faded).reshape(2, -1).tolist()
    return {
        target: Like(whole, whole - some if target == CHURN else some)
        for target, whole, some in zip(horizons, known, ordered, strict=True)
    }
