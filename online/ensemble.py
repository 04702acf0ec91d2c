"""BERT's and the online model's probabilities, combined and calibrated by what came true."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from online.learners.mixture import FLOOR, Mixture
from schemas.odds import logit, sigmoid
from schemas.outputs import Example

# BERT's weight before the first example, and where the learned one begins. At first BERT knows what a month of labels
# must teach the online model; which of the two comes to know a shop better, nobody can say.
FIRST: Final = 0.8
PRIOR: Final = 0.5
EXPERIENCED: Final = 500
# Slow: calibration follows thousands of examples, and is never led far by a few.
RATE: Final = 0.002
SLOPES: Final = (0.5, 2.0)
OFFSET: Final = 1.5
NAMES: Final = frozenset({"bert", "online"})


class _Line(Struct, forbid_unknown_fields=True):
    """Calibrated log odds are `slope` times the given ones plus `offset` (Platt 1999)."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, probability: float) -> float:
        if self.slope == 1.0 and self.offset == 0.0:
            return probability
        return sigmoid(self.slope * logit(probability) + self.offset)

    def learn(self, probability: float, label: bool) -> None:
        error, given = self(probability) - label, logit(probability)
        self.slope = min(SLOPES[1], max(SLOPES[0], self.slope - RATE * error * given))
        self.offset = min(OFFSET, max(-OFFSET, self.offset - RATE * error))


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    learned: int
    bert: float
    both: _Line
    alone: _Line


class Ensemble:
    """One target's mixture in log-odds space, its two weights and its calibration learned on the log loss.

    `learned` counts the target's examples. Until there are `EXPERIENCED` of them the learned weight comes in by and by,
    in place of `FIRST`. The online model alone is calibrated by a line of its own.

    >>> Ensemble().combine(None, 0.3), Ensemble().combine(0.7, None)
    (0.3, 0.7)
    """

    def __init__(self) -> None:
        self.learned = 0
        self._mixture = _mixture(PRIOR)
        self._both = _Line()
        self._alone = _Line()

    @property
    def bert_weight(self) -> float:
        """The weight that BERT has now; the online model has the rest."""
        trust = min(1.0, self.learned / EXPERIENCED)
        return FIRST + trust * (self._mixture.weights["bert"] - FIRST)

    def combine(self, bert: float | None, online: float | None) -> float:
        """The served probability; without either source it is 0.5."""
        if bert is None:
            return 0.5 if online is None else self._alone(online)
        if online is None:
            return bert
        weight = self.bert_weight
        return self._both(sigmoid(weight * logit(bert) + (1.0 - weight) * logit(online)))

    def learn_one(self, example: Example) -> None:
        """Move the weights towards the source that was right, by the probabilities as they were given then."""
        self.learned += 1
        if example.online is None:
            return
        self._alone.learn(example.online, example.label)
        if example.bert is None:
            return
        given = {"bert": example.bert, "online": example.online}
        mixed = self._mixture.combine(given)
        assert mixed is not None, "both sources spoke"
        self._both.learn(mixed, example.label)
        self._mixture.learn(given, example.label)
        # One number is written, and must say all.
        self._mixture = _mixture(self._mixture.weights["bert"])

    def dump(self) -> dict[str, Any]:
        """The state as JSON-able numbers."""
        lines: dict[str, Any] = {"both": msgspec.to_builtins(self._both), "alone": msgspec.to_builtins(self._alone)}
        return {"learned": self.learned, "bert": self._mixture.weights["bert"]} | lines

    @classmethod
    def load(cls, state: object) -> "Ensemble":
        """An ensemble from `dump`'s state; raises ValueError for anything else."""
        try:
            given = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an ensemble's state: {error}") from error
        lines = (given.both, given.alone)
        fine = all(SLOPES[0] <= line.slope <= SLOPES[1] and abs(line.offset) <= OFFSET for line in lines)
        if given.learned < 0 or not fine or not FLOOR / 2 <= given.bert <= 1.0 - FLOOR / 2:
            raise ValueError("the ensemble's state has a number out of range")
        ensemble = cls()
        ensemble.learned = given.learned
        ensemble._mixture = _mixture(given.bert)
        ensemble._both, ensemble._alone = lines
        return ensemble


def _mixture(bert: float) -> Mixture:
    return Mixture({"bert": bert, "online": 1.0 - bert})
