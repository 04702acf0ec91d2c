"""The value model: how much a customer will spend, learned as the logarithm of it."""

import math
from typing import Any, Final

import msgspec
from msgspec import Struct

from online.learners.basis import Vector
from online.learners.newton import Newton

# A mean of logarithms is below the logarithm of the mean: money expected is corrected by what was spent in all, over
# what was expected in all (smearing; Duan 1983), of late.
RECENT: Final = 1 / 2_000
LOG_MOST: Final = 25.0
LEAST: Final = 20


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    spent: float
    expected: float
    regression: dict[str, Any]


class Amount:
    """Regression of log1p of what was spent, given back as money."""

    def __init__(self) -> None:
        self._regression = Newton(amount=True)
        self._spent = 1.0
        self._expected = 1.0

    @property
    def learned(self) -> int:
        """How many examples."""
        return self._regression.learned

    def predict(self, values: Vector) -> float | None:
        """The expected spend in the main unit, at least 0; None until there is something to go by."""
        if self.learned < LEAST:
            return None
        return self._plain(values) * min(20.0, max(0.05, self._spent / self._expected))

    def learn(self, values: Vector, amount: float) -> None:
        """Take in one example's amount."""
        spent = math.expm1(min(LOG_MOST, math.log1p(max(0.0, amount))))
        if self.learned >= LEAST:
            share = max(RECENT, 1 / (self.learned - LEAST + 2))
            self._spent += share * (spent - self._spent)
            self._expected = max(1e-6, self._expected + share * (self._plain(values) - self._expected))
        self._regression.learn(values, math.log1p(spent))

    def dump(self) -> dict[str, Any]:
        """The state as plain numbers."""
        return {"spent": self._spent, "expected": self._expected, "regression": self._regression.dump()}

    @classmethod
    def load(cls, state: object) -> "Amount":
        """The model of `dump`'s state; raises ValueError for anything else."""
        try:
            held = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an online model's state: {error}") from error
        if not (0.0 <= held.spent < 1e12 and 0.0 < held.expected < 1e12):
            raise ValueError("the online model's state has amounts out of range")
        model = cls()
        model._spent, model._expected = held.spent, held.expected
        model._regression = Newton.load(held.regression, amount=True)
        return model

    def _plain(self, values: Vector) -> float:
        return math.expm1(max(0.0, min(LOG_MOST, self._regression.predict(values))))
