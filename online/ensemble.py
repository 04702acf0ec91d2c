"""BERT's and the online model's probabilities, combined by weights that are learned from what came true."""

import math
from typing import Any, Final

import msgspec
from msgspec import Struct

from online.logistic import sigmoid
from schemas.outputs import Example

PRIOR: Final = 0.8
RATE: Final = 0.02
FLOOR: Final = 0.02
EXPERIENCED: Final = 500
LOGIT: Final = 6.0


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    learned: int
    bert: float


def logit(probability: float) -> float:
    """Log odds, within `LOGIT` so that one source's certainty cannot drown the other."""
    p = min(1.0 - 1e-9, max(1e-9, probability))
    return max(-LOGIT, min(LOGIT, math.log(p / (1.0 - p))))


class Ensemble:
    """One target's mixture in log-odds space, its two weights learned by exponentiated gradient on the log loss.

    `learned` counts the target's examples. Until there are `EXPERIENCED` of them the online model's weight is
    scaled down: it has seen too little to be believed. Source: Kivinen and Warmuth 1997, Exponentiated Gradient.

    >>> Ensemble().combine(None, 0.3), Ensemble().combine(0.7, 0.3)
    (0.3, 0.7)
    """

    def __init__(self) -> None:
        self.learned = 0
        self._bert = PRIOR

    @property
    def bert_weight(self) -> float:
        """The weight that BERT has now; the online model has the rest."""
        trust = min(1.0, self.learned / EXPERIENCED)
        return 1.0 - trust * (1.0 - self._bert)

    def combine(self, bert: float | None, online: float | None) -> float:
        """The served probability; with one source it is that one's, without any 0.5."""
        if bert is None:
            return 0.5 if online is None else online
        weight = self.bert_weight
        if online is None or weight == 1.0:
            return bert
        return sigmoid(weight * logit(bert) + (1.0 - weight) * logit(online))

    def learn_one(self, example: Example) -> None:
        """Move the weights towards the source that was right, by the probabilities as they were given then."""
        self.learned += 1
        if example.bert is None or example.online is None:
            return
        bert, online = logit(example.bert), logit(example.online)
        error = sigmoid(self._bert * bert + (1.0 - self._bert) * online) - example.label
        odds = self._bert / (1.0 - self._bert) * math.exp(-RATE * error * (bert - online))
        self._bert = min(1.0 - FLOOR, max(FLOOR, odds / (1.0 + odds)))

    def dump(self) -> dict[str, Any]:
        """The state as JSON-able numbers."""
        return {"learned": self.learned, "bert": self._bert}

    @classmethod
    def load(cls, state: object) -> "Ensemble":
        """An ensemble from `dump`'s state; raises ValueError for anything else."""
        try:
            given = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an ensemble's state: {error}") from error
        if given.learned < 0 or not FLOOR <= given.bert <= 1.0 - FLOOR:
            raise ValueError("the ensemble's state has a number out of range")
        ensemble = cls()
        ensemble.learned, ensemble._bert = given.learned, given.bert
        return ensemble
