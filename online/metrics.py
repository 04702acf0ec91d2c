"""Progressive metrics: how good each source's probabilities were, over the last examples whose outcome is known."""

import base64
import binascii
import math
from collections import deque
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.outputs import Example

WINDOW: Final = 2_000
SOURCES: Final = ("served", "bert", "online", "recency")
# Probabilities are kept as 16-bit steps: a window is 16 kB, and a restored one gives exactly the same metrics.
STEPS: Final = 65_534
ABSENT: Final = 65_535
HALF_DAYS: Final = {"churn": 30.0, "intent": 7.0}


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    seen: int
    labels: str
    columns: dict[str, str]


def recency(example: Example) -> float:
    """The rule that any model must beat: the longer since the last order, the less likely is another."""
    days = example.features.get("days_since_order")
    if days is None:
        gone = 1.0
    else:
        days = max(0.0, days)
        gone = days / (days + HALF_DAYS.get(example.target, 30.0))
    return gone if example.target == "churn" else 1.0 - gone


def log_loss(label: bool, probability: float) -> float:
    """The loss of one prediction in nats, bounded at about 11 so that one certain mistake cannot be infinite."""
    p = min(1.0 - 1 / STEPS, max(1 / STEPS, probability))
    return -math.log(p if label else 1.0 - p)


def roc_auc(labels: list[bool], probabilities: list[float]) -> float | None:
    """The exact area under the ROC curve, ties as one half; None where one of the classes is absent.

    River's ROCAUC is an approximation by thresholds, and its RollingROCAUC does not count a tie as one half.
    """
    positives = sum(labels)
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    pairs = sorted(zip(probabilities, labels, strict=True))
    ranks, i = 0.0, 0
    while i < len(pairs):
        j, hits = i, 0
        while j < len(pairs) and pairs[j][0] == pairs[i][0]:
            hits += pairs[j][1]
            j += 1
        ranks += hits * (i + j + 1) / 2
        i = j
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def calibration_error(labels: list[bool], probabilities: list[float], bins: int = 10) -> float:
    """Expected calibration error: how far predicted shares lie from observed ones, over equally filled bins."""
    pairs = sorted(zip(probabilities, labels, strict=True))
    edges = [len(pairs) * n // bins for n in range(bins + 1)]
    parts = [pairs[low:high] for low, high in pairwise(edges) if high > low]
    return sum(abs(math.fsum(p - y for p, y in part)) for part in parts) / max(1, len(pairs))


class Rolling:
    """One target's last `window` examples: ROC AUC, log loss and Brier score of each source, and the base rate.

    `constant` says the window's own base rate each time: the best that a constant could have done.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self.seen = 0
        self._labels: deque[int] = deque(maxlen=window)
        self._columns: dict[str, deque[int]] = {source: deque(maxlen=window) for source in SOURCES}

    def learn_one(self, example: Example) -> None:
        """Take in one example; the oldest beyond the window drops out."""
        given = (example.served, example.bert, example.online, recency(example))
        self.seen += 1
        self._labels.append(int(example.label))
        for column, probability in zip(self._columns.values(), given, strict=True):
            column.append(_pack(probability))

    def get(self) -> dict[str, float]:
        """The metrics as `{source}.{auc|log_loss|brier|n}` and `base_rate`; what is undefined is left out."""
        found: dict[str, float] = {}
        for source, column in self._columns.items():
            known = [(bool(y), p / STEPS) for y, p in zip(self._labels, column, strict=True) if p != ABSENT]
            found[f"{source}.n"] = float(len(known))
            if not known:
                continue
            auc = roc_auc([y for y, _ in known], [p for _, p in known])
            if auc is not None:
                found[f"{source}.auc"] = auc
            found[f"{source}.log_loss"] = math.fsum(log_loss(y, p) for y, p in known) / len(known)
            found[f"{source}.brier"] = math.fsum((p - y) ** 2 for y, p in known) / len(known)
            found[f"{source}.calibration"] = calibration_error([y for y, _ in known], [p for _, p in known])
        if self._labels:
            rate = sum(self._labels) / len(self._labels)
            found["base_rate"] = rate
            found["constant.log_loss"] = rate * log_loss(True, rate) + (1 - rate) * log_loss(False, rate)
            found["constant.brier"] = rate * (1.0 - rate)
            if 0 < rate < 1:
                found["constant.auc"] = 0.5
        return found

    def served_losses(self) -> list[float]:
        """The served score's log loss of each example of the window, oldest first."""
        served = self._columns["served"]
        return [log_loss(bool(y), p / STEPS) for y, p in zip(self._labels, served, strict=True) if p != ABSENT]

    def dump(self) -> dict[str, Any]:
        """The window for JSON: labels as digits, each column as base64 of little-endian 16-bit steps."""
        return {
            "seen": self.seen,
            "labels": "".join(map(str, self._labels)),
            "columns": {source: _to_text(column) for source, column in self._columns.items()},
        }

    @classmethod
    def load(cls, state: object, window: int = WINDOW) -> "Rolling":
        """A window from `dump`'s state; raises ValueError for anything else."""
        try:
            given = msgspec.convert(state, _State)
            columns = {source: _from_text(given.columns[source]) for source in SOURCES}
        except (msgspec.ValidationError, KeyError, binascii.Error) as error:
            raise ValueError(f"not a metrics window's state: {error}") from error
        if not set(given.labels) <= {"0", "1"} or any(len(c) != len(given.labels) for c in columns.values()):
            raise ValueError("the metrics window's columns do not fit its labels")
        rolling = cls(window)
        rolling.seen = given.seen
        rolling._labels.extend(map(int, given.labels))
        for source, column in columns.items():
            rolling._columns[source].extend(column)
        return rolling


def _pack(probability: float | None) -> int:
    if probability is None or not math.isfinite(probability):
        return ABSENT
    return round(max(0.0, min(1.0, probability)) * STEPS)


def _to_text(column: deque[int]) -> str:
    return base64.b64encode(b"".join(step.to_bytes(2, "little") for step in column)).decode()


def _from_text(text: str) -> list[int]:
    raw = base64.b64decode(text, validate=True)
    if len(raw) % 2:
        raise binascii.Error("an odd number of bytes")
    return [int.from_bytes(raw[i : i + 2], "little") for i in range(0, len(raw), 2)]
