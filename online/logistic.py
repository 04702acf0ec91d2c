"""One online logistic regression: encoded features, running scale, River's gradient step."""

import math
from typing import Any, Final

import msgspec
from msgspec import Struct
from river import linear_model, optim, preprocessing, utils

from online.encode import OWNERS, Inputs
from schemas.odds import sigmoid

# Learning rate 0.02 / n^0.25: on Complete Journey as good as AdaGrad, and with one number of state.
RATE: Final = 0.02
COOLING: Final = 0.25
L2: Final = 1e-5
SPREAD: Final = 4.0
STEP: Final = 40.0
LOGIT: Final = 8.0


class _Scale(Struct, array_like=True, forbid_unknown_fields=True):
    count: int
    mean: float
    var: float


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    learned: int
    intercept: float
    weights: dict[str, float]
    scales: dict[str, _Scale]


class Logistic:
    """Learns one binary target from features, one example at a time; about 0.5 before the first.

    The step is bounded thrice: scaled values lie within `SPREAD` standard deviations, the error within 1, and an
    example whose values are extreme counts less, so that no single example moves the score far.
    """

    def __init__(self) -> None:
        self.learned = 0
        self._scaler = preprocessing.StandardScaler()
        rate = optim.schedulers.InverseScaling(RATE, COOLING)
        self._model = linear_model.LogisticRegression(
            optimizer=optim.SGD(rate), intercept_lr=rate, l2=L2, clip_gradient=1.0
        )
        self._weights: dict[str, float] = {}

    def predict(self, given: Inputs) -> float:
        """The target's probability; changes nothing."""
        weights, inputs = self._weights, self._scale(given)
        logit = self._model.intercept + math.fsum([weights[name] * x for name, x in inputs.items() if name in weights])
        return sigmoid(max(-LOGIT, min(LOGIT, logit)))

    def contributions(self, given: Inputs) -> dict[str, float]:
        """How far each feature moves the log odds from the average customer's; they and the intercept add up."""
        moved: dict[str, float] = {}
        for name, x in self._scale(given).items():
            owner = OWNERS[name]
            moved[owner] = moved.get(owner, 0.0) + self._weights.get(name, 0.0) * x
        return moved

    def learn(self, given: Inputs, label: bool) -> None:
        """Take in one example."""
        self._scaler.learn_one(given.values)
        inputs = self._scale(given)
        length = sum(x * x for x in inputs.values())
        self._model.learn_one(inputs, label, w=min(1.0, STEP / length) if length else 1.0)
        self._weights = self._model.weights
        self.learned += 1

    @property
    def intercept(self) -> float:
        """The average customer's log odds."""
        return float(self._model.intercept)

    def dump(self) -> dict[str, Any]:
        """The state as plain numbers, for JSON."""
        counts, means, variances = self._scaler.counts, self._scaler.means, self._scaler.vars
        return {
            "learned": self.learned,
            "intercept": self.intercept,
            "weights": dict(self._weights),
            "scales": {name: [count, means[name], variances[name]] for name, count in counts.items()},
        }

    @classmethod
    def load(cls, state: object) -> "Logistic":
        """A model from `dump`'s state; raises ValueError for anything else."""
        try:
            held = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an online model's state: {error}") from error
        scales = held.scales
        unknown = (held.weights.keys() | scales.keys()) - OWNERS.keys()
        if unknown:
            raise ValueError(f"the online model's state has unknown inputs: {', '.join(sorted(unknown)[:5])}")
        numbers = [held.intercept, *held.weights.values(), *(n for s in scales.values() for n in (s.mean, s.var))]
        if not all(map(math.isfinite, numbers)):
            raise ValueError("the online model's state has numbers that are not finite")
        if held.learned < 0 or any(s.count < 1 or s.var < 0 for s in scales.values()):
            raise ValueError("the online model's state has a negative count or variance")
        model = cls()
        model.learned = held.learned
        model._scaler.counts.update({name: scale.count for name, scale in scales.items()})
        model._scaler.means.update({name: scale.mean for name, scale in scales.items()})
        model._scaler.vars.update({name: scale.var for name, scale in scales.items()})
        model._model.intercept = held.intercept
        model._model._weights = utils.VectorDict(held.weights)
        model._model.optimizer.n_iterations = held.learned
        model._weights = dict(held.weights)
        return model

    def _scale(self, given: Inputs) -> dict[str, float]:
        # `transform_one` would add an entry for a value never learned; predicting must change nothing.
        means, variances = self._scaler.means, self._scaler.vars
        inputs: dict[str, float] = {}
        for name, value in given.values.items():
            if name in variances and (variance := variances[name]) > 0.0:
                scaled = (value - means[name]) / math.sqrt(variance)
                inputs[name] = SPREAD if scaled > SPREAD else -SPREAD if scaled < -SPREAD else scaled
        inputs.update(given.missing)
        return inputs
