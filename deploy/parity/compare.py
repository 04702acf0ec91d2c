"""Holding the engine's features against the oracle's."""

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from schemas.features import BY_NAME, NAMES

TOLERANCE: Final = 1e-9  # relative, for what is no count
_NEAR_ZERO: Final = 1e-12  # what rounding leaves of a deviation that is 0


@dataclass(slots=True)
class Result:
    """What was compared, and where the two disagree: per feature how often, and one example."""

    customers: set[str] = field(default_factory=set)
    compared: int = 0
    mismatches: int = 0
    by_feature: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, engine: pl.DataFrame, oracle: pl.DataFrame) -> None:
        """Compare two frames with a column a feature; `oracle` has `now` as well. Both are joined on `on`."""
        self._add_missing(engine, oracle)
        both = oracle.join(engine, on="ask", how="inner", suffix=" of engine")
        self.customers.update(both["customer"])
        self.compared += both.height * len(NAMES)
        differing = both.select(_differs(name) for name in NAMES)
        counts = differing.sum().row(0, named=True)
        for name, count in counts.items():
            if count:
                example = both.filter(differing[name]).row(0, named=True)
                self._note(name, count, example, example[f"{name} of engine"], example[name])

    def as_dict(self) -> dict[str, Any]:
        """For people and machines."""
        told = {
            "customers": len(self.customers),
            "features": len(NAMES),
            "compared": self.compared,
            "mismatches": self.mismatches,
        }
        return told | ({"by_feature": self.by_feature} if self.by_feature else {})

    def _add_missing(self, engine: pl.DataFrame, oracle: pl.DataFrame) -> None:
        for here, there, side in ((oracle, engine, "engine"), (engine, oracle, "oracle")):
            missing = here.join(there, on="ask", how="anti")
            if missing.height:
                example = missing.row(0, named=True)
                absent, present = f"no such customer in the {side}", "a customer"
                told = (absent, present) if side == "engine" else (present, absent)
                self._note(f"missing in {side}", missing.height, example, *told)

    def _note(self, name: str, count: int, example: dict[str, Any], engine: object, oracle: object) -> None:
        self.mismatches += count
        known = self.by_feature.setdefault(name, {"mismatches": 0})
        known["mismatches"] += count
        known.setdefault(
            "example",
            {"customer": example["customer"], "cutoff": example.get("now"), "engine": engine, "oracle": oracle},
        )


def _differs(name: str) -> pl.Expr:
    one, other = pl.col(name), pl.col(f"{name} of engine")
    if BY_NAME[name].unit == "count":
        return one.ne_missing(other).alias(name)
    far = (one - other).abs() > pl.max_horizontal(one.abs() * TOLERANCE, other.abs() * TOLERANCE, pl.lit(_NEAR_ZERO))
    # NaN is equal to NaN in polars, and never to be found in a feature.
    bad = one.is_nan().fill_null(False) | other.is_nan().fill_null(False)
    return ((one.is_null() != other.is_null()) | far.fill_null(False) | bad).alias(name)
