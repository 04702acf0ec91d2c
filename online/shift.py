"""Shifts of what comes in: has a feature's, or a score's, distribution become another than it used to be?

::

    a day     | reference ......................... | window |         major shifts, told at the window's end
    a week    | reference ............. | 7 windows, summed   |        moderate ones, with more to go by

Counts by bin. What leaves the newest windows is taken into the reference, which forgets: what lasts becomes usual.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from online.encode import signed_log
from schemas.features import DAY_MS

# Grow with the calendar, or go round with the hour: their distribution is another one all the time.
CALENDAR: Final = frozenset({"tenure_days", "orders_total", "spend_total", "reviews_total", "hour", "weekday"})
WINDOW_MS: Final = DAY_MS
LEAST: Final = 300
FIRST: Final = 2_000
BINS: Final = 10
# How far from the reference the counts' own noise leads is allowed for besides.
NOISE: Final = 3.0


class Scale(NamedTuple):
    """So many windows are held against a reference that is made of `learning` windows before the first comparison.

    A window that is taken in later has a weight of `share`. Beyond `psi` or `ks` it is a shift.
    """

    windows: int
    learning: int
    share: float
    psi: float
    ks: float


# Population stability: below 0.1 is none, above 0.25 a major shift (Siddiqi 2006).
SCALES: Final = (Scale(1, 3, 0.1, 0.25, 0.2), Scale(7, 21, 0.03, 0.1, 0.1))
LEARNING: Final = SCALES[0].learning
# Windows in which a feature that was told of is not told of again: the other scale finds the same a few days later.
QUIET: Final = 8


class Shift(NamedTuple):
    """One feature's newest windows against their reference: population stability index, Kolmogorov-Smirnov distance,
    and Wasserstein's in bins; `alarm` when they are too far apart, and were not in the window before."""

    feature: str
    psi: float
    ks: float
    wasserstein: float
    alarm: bool


class _FollowedState(Struct):
    newest: list[list[float]]
    reference: list[float]
    taken: int
    alarmed: bool | None


class _FeatureState(Struct):
    first: list[float | None]
    edges: list[float] | None
    now: list[float]
    followed: list[_FollowedState]
    quiet: int


class _State(Struct):
    began: int | None
    count: int
    windows: int
    seen: int
    features: dict[str, _FeatureState]


class _Followed:
    """One feature's counts on one scale: the newest windows, and what they are held against."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._newest: deque[list[float]] = deque()
        self._reference = [0.0] * (BINS + 1)
        self._taken = 0
        self._alarmed: bool | None = None

    def dump(self) -> dict[str, Any]:
        """The counts for JSON."""
        newest = [list(window) for window in self._newest]
        return {"newest": newest, "reference": self._reference, "taken": self._taken, "alarmed": self._alarmed}

    def load(self, state: "_FollowedState") -> None:
        """Go on from what a `dump` held."""
        if len(state.newest) > self._scale.windows or any(len(w) != BINS + 1 for w in [*state.newest, state.reference]):
            raise ValueError("not a shift monitor's state: its windows do not fit")
        self._newest.extend(state.newest)
        self._reference, self._taken, self._alarmed = state.reference, state.taken, state.alarmed

    def close(self, name: str, window: list[float]) -> Shift | None:
        """A window is over; the comparison, once there is enough to compare with."""
        scale = self._scale
        self._newest.append(window)
        if len(self._newest) > scale.windows:
            self._take(self._newest.popleft())
        if self._taken < scale.learning:
            return None
        now = [sum(counts) for counts in zip(*self._newest, strict=True)]
        psi, ks, far, n, m = _compared(now, self._reference)
        above = psi > scale.psi + NOISE * BINS * (1.0 / n + 1.0 / m)
        above = above or ks > scale.ks + NOISE * math.sqrt(0.25 * (1.0 / n + 1.0 / m))
        # The first comparison has no window before it: what it finds may be long known.
        alarm = above and self._alarmed is False
        self._alarmed = above or (bool(self._alarmed) and psi > scale.psi / 2)
        return Shift(name, psi, ks, far, alarm)

    def _take(self, window: list[float]) -> None:
        first = self._taken < self._scale.learning
        self._taken += 1
        share = self._scale.share
        keep = 1.0 if first else 1.0 - share
        weight = 1.0 if first else share * sum(self._reference) / max(1.0, sum(window))
        self._reference = [keep * r + weight * n for r, n in zip(self._reference, window, strict=True)]


class _Feature:
    """Counts by bin of one feature: edges are deciles of the `FIRST` values; the last bin is for missing."""

    def __init__(self) -> None:
        self.first: list[float] = []
        self.edges: list[float] | None = None
        self.now = [0.0] * (BINS + 1)
        self.followed = [_Followed(scale) for scale in SCALES]
        self.quiet = 0

    def dump(self) -> dict[str, Any]:
        """The counts for JSON; a missing value is null."""
        first = [None if math.isnan(value) else value for value in self.first]
        followed = [one.dump() for one in self.followed]
        return {"first": first, "edges": self.edges, "now": self.now, "followed": followed, "quiet": self.quiet}

    @classmethod
    def load(cls, state: "_FeatureState") -> "_Feature":
        """The counts of a `dump`."""
        feature = cls()
        if len(state.now) != BINS + 1 or len(state.followed) != len(SCALES) or len(state.first) >= FIRST:
            raise ValueError("not a shift monitor's state: its bins or scales are others")
        if state.edges is not None and (len(state.edges) >= BINS or state.edges != sorted(state.edges)):
            raise ValueError("not a shift monitor's state: its edges are none")
        feature.first = [math.nan if value is None else value for value in state.first]
        feature.edges, feature.now, feature.quiet = state.edges, state.now, state.quiet
        for one, known in zip(feature.followed, state.followed, strict=True):
            one.load(known)
        return feature

    def add(self, value: float | None) -> None:
        known = value is not None and math.isfinite(value)
        if self.edges is None:
            # Missing is kept as NaN until there are edges.
            self.first.append(signed_log(value) if known and value is not None else math.nan)
            if len(self.first) == FIRST:
                self.cut()
        else:
            self.now[bisect_right(self.edges, signed_log(value)) if known and value is not None else BINS] += 1

    def cut(self) -> None:
        """Edges by the first values, and their counts."""
        values = sorted(v for v in self.first if not math.isnan(v))
        self.edges = sorted({values[len(values) * n // BINS] for n in range(1, BINS)}) if values else []
        for value in self.first:
            self.now[BINS if math.isnan(value) else bisect_right(self.edges, value)] += 1
        self.first = []

    def close(self, name: str) -> Shift | None:
        """The window is over: the comparison that raises an alarm, else the day's."""
        if self.edges is None:
            self.cut()
        window, self.now = self.now, [0.0] * (BINS + 1)
        found = [shift for one in self.followed if (shift := one.close(name, window))]
        self.quiet = max(0, self.quiet - 1)
        alarm = next((shift for shift in found if shift.alarm and not self.quiet), None)
        if alarm is not None:
            self.quiet = QUIET
            return alarm
        return found[0]._replace(alarm=False) if found else None


class Shifts:
    """Follows features and scores in windows of at least a day of event time and `LEAST` snapshots; memory is bounded.

    A shift is told once. A major one at the end of the first window that shows it: within a day where a day has `LEAST`
    snapshots. A moderate one within about a week. After `LEARNING` windows. What lasts becomes usual.
    `windows` are over, `seen` is how many snapshots were taken in.
    """

    def __init__(self) -> None:
        self.windows = 0
        self.seen = 0
        self._features: dict[str, _Feature] = {}
        self._began: int | None = None
        self._count = 0

    def dump(self) -> dict[str, Any]:
        """All that is known, for JSON."""
        return {
            "began": self._began,
            "count": self._count,
            "windows": self.windows,
            "seen": self.seen,
            "features": {name: feature.dump() for name, feature in self._features.items()},
        }

    @classmethod
    def load(cls, state: object) -> "Shifts":
        """What a `dump` held; it then tells the same shifts at the same time. Raises ValueError for anything else."""
        try:
            given = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not a shift monitor's state: {error}") from error
        shifts = cls()
        shifts._began, shifts._count = given.began, given.count
        shifts.windows, shifts.seen = given.windows, given.seen
        shifts._features = {name: _Feature.load(one) for name, one in given.features.items()}
        return shifts

    def learn_one(self, values: Mapping[str, float | None], at: int) -> list[Shift]:
        """Take in one snapshot's values at event time `at`; the comparisons, when it ends a window."""
        found: list[Shift] = []
        if self._began is None:
            self._began = at
        elif at - self._began >= WINDOW_MS and self._count >= LEAST:
            found = self._close()
            self._began, self._count = at, 0
        self._count += 1
        self.seen += 1
        for name, value in values.items():
            if name not in CALENDAR and (name in self._features or self.windows == 0):
                self._features.setdefault(name, _Feature()).add(value)
        return found

    def _close(self) -> list[Shift]:
        self.windows += 1
        return [shift for name, feature in self._features.items() if (shift := feature.close(name))]


def _compared(now: Sequence[float], reference: Sequence[float]) -> tuple[float, float, float, float, float]:
    """Population stability index, and the distances of Kolmogorov-Smirnov and Wasserstein; both sides' sizes."""
    n, m = max(1.0, sum(now)), max(1.0, sum(reference))
    psi = ks = far = below = 0.0
    for count, known in zip(now, reference, strict=True):
        # Half a count each: an empty bin is rare, not impossible.
        p, q = (count + 0.5) / (n + 0.5 * (BINS + 1)), (known + 0.5) / (m + 0.5 * (BINS + 1))
        psi += (p - q) * math.log(p / q)
        below += count / n - known / m
        ks, far = max(ks, abs(below)), far + abs(below)
    return psi, ks, far, n, m
