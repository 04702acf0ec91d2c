"""Shifts of what comes in: has a feature's, or a score's, distribution become another than it used to be?

::

    days     | window | window | window | ...        counts by bin; at a window's end it is compared with the
    reference  ====================^ then taken in   reference, and then becomes part of it (a tenth of the weight)
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import Final, NamedTuple

from online.encode import signed_log
from schemas.features import DAY_MS

# Grow with the calendar, or go round with the hour: their distribution is another one all the time.
CALENDAR: Final = frozenset({"tenure_days", "orders_total", "spend_total", "reviews_total", "hour", "weekday"})
WINDOW_MS: Final = DAY_MS
LEAST: Final = 300
FIRST: Final = 2_000
BINS: Final = 10
# Windows before the first comparison, and the share of a window in the reference afterwards.
LEARNING: Final = 3
SHARE: Final = 0.1
# Population stability: below 0.1 is none, above 0.25 a major shift (Siddiqi 2006), beyond what the counts' noise makes.
PSI: Final = 0.25
NOISE: Final = 3.0
KS: Final = 0.2


class Shift(NamedTuple):
    """One feature's window against its reference: population stability index, Kolmogorov-Smirnov distance, and
    Wasserstein's in bins; `alarm` when they are too far apart, and were not in the window before."""

    feature: str
    psi: float
    ks: float
    wasserstein: float
    alarm: bool


class _Feature:
    """Counts by bin of one feature: edges are deciles of the `FIRST` values; the last bin is for missing."""

    def __init__(self) -> None:
        self.first: list[float] = []
        self.edges: list[float] | None = None
        self.now = [0.0] * (BINS + 1)
        self.reference = [0.0] * (BINS + 1)
        self.alarmed = False

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


class Shifts:
    """Follows features and scores in windows of at least a day of event time and `LEAST` snapshots; memory is bounded.

    A shift is told once, at the end of the first window that shows it: within a day where a day has `LEAST` snapshots.
    After `LEARNING` windows. What lasts becomes the reference within about ten windows.
    """

    def __init__(self) -> None:
        self._features: dict[str, _Feature] = {}
        self._began: int | None = None
        self._count = 0
        self._windows = 0

    def learn_one(self, values: Mapping[str, float | None], at: int) -> list[Shift]:
        """Take in one snapshot's values at event time `at`; the comparisons, when it ends a window."""
        found: list[Shift] = []
        if self._began is None:
            self._began = at
        elif at - self._began >= WINDOW_MS and self._count >= LEAST:
            found = self._close()
            self._began, self._count = at, 0
        self._count += 1
        for name, value in values.items():
            if name not in CALENDAR and (name in self._features or self._windows == 0):
                self._features.setdefault(name, _Feature()).add(value)
        return found

    def _close(self) -> list[Shift]:
        self._windows += 1
        found = []
        for name, feature in self._features.items():
            if feature.edges is None:
                feature.cut()
            if self._windows > LEARNING:
                found.append(_compare(name, feature))
            total = sum(feature.reference)
            keep = 1.0 if self._windows <= LEARNING else 1.0 - SHARE
            scale = 1.0 if not total or self._windows <= LEARNING else SHARE * total / max(1.0, sum(feature.now))
            feature.reference = [keep * r + scale * n for r, n in zip(feature.reference, feature.now, strict=True)]
            feature.now = [0.0] * (BINS + 1)
        return found


def _compare(name: str, feature: _Feature) -> Shift:
    n, m = max(1.0, sum(feature.now)), max(1.0, sum(feature.reference))
    psi = ks = far = below = 0.0
    for count, known in zip(feature.now, feature.reference, strict=True):
        # Half a count each: an empty bin is rare, not impossible.
        p, q = (count + 0.5) / (n + 0.5 * (BINS + 1)), (known + 0.5) / (m + 0.5 * (BINS + 1))
        psi += (p - q) * math.log(p / q)
        below += count / n - known / m
        ks, far = max(ks, abs(below)), far + abs(below)
    noise = NOISE * BINS * (1.0 / n + 1.0 / m)
    above = psi > PSI + noise or ks > KS + NOISE * math.sqrt(0.25 * (1.0 / n + 1.0 / m))
    alarm = above and not feature.alarmed
    feature.alarmed = above or (feature.alarmed and psi > PSI / 2)
    return Shift(name, psi, ks, far, alarm)
