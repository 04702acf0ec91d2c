"""Marks as an operator writes them: by kind, with cool-downs in days; what is not given stays the kind's own."""

import math
from collections.abc import Mapping
from typing import Final

from online.alerts import KINDS
from online.policies.base import Kind, Marks
from schemas.features import DAY_MS

_GIVEN: Final = ("high", "low", "late", "cooldown_days", "daily")


def marks_of(given: Mapping[str, Mapping[str, float]]) -> dict[str, Marks]:
    """The marks by kind; `ValueError`, which says what to write instead, for what makes no sense.

    >>> marks_of({"churn_risk": {"high": 0.9, "cooldown_days": 30}})["churn_risk"].cooldown_ms // 86_400_000
    30
    """
    unknown = sorted(given.keys() - KINDS.keys())
    if unknown:
        raise ValueError(f"no alerts of kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    return {name: _marks(KINDS[name], parts) for name, parts in given.items()}


def _marks(kind: Kind, parts: Mapping[str, float]) -> Marks:
    unknown = sorted(parts.keys() - set(_GIVEN))
    if unknown:
        raise ValueError(f"{kind.name} has no {', '.join(unknown)}; write some of {', '.join(_GIVEN)}")
    if not all(math.isfinite(value) and value >= 0 for value in parts.values()):
        raise ValueError(f"{kind.name}: no mark is below 0 or without an end")
    own = kind.marks
    try:
        return Marks(
            high=parts.get("high", own.high),
            low=parts.get("low", own.low),
            cooldown_ms=round(parts["cooldown_days"] * DAY_MS) if "cooldown_days" in parts else own.cooldown_ms,
            daily=int(parts.get("daily", own.daily)),
            late=parts.get("late", own.late),
        )
    except ValueError as error:
        raise ValueError(f"{kind.name}: {error}; give both where one is moved") from error
