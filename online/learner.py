"""The online model: churn and intent, learned from what customers did, one example at a time."""

from typing import Any, Final

from online.encode import encode
from online.logistic import Logistic
from online.words import say
from schemas.features import NAMES
from schemas.outputs import Contribution, Example, Features, Parts

TARGETS: Final = ("churn", "intent")
FORMAT: Final = 1


class OnlineModel:
    """One logistic regression a target over the registered features.

    Predicting changes nothing, a loaded copy agrees exactly, and memory is bounded by the registry.

    >>> OnlineModel().predict_one({"orders_30d": 2.0})
    Parts(churn=0.5, intent=0.5)
    """

    def __init__(self) -> None:
        self._models = {target: Logistic() for target in TARGETS}

    @property
    def learned(self) -> dict[str, int]:
        """How many examples each target has learned."""
        return {target: model.learned for target, model in self._models.items()}

    def predict_one(self, features: Features) -> Parts:
        """The probabilities of no purchase within the churn horizon and of a purchase within the intent horizon."""
        inputs = encode(features)
        return Parts(churn=self._models["churn"].predict(inputs), intent=self._models["intent"].predict(inputs))

    def learn_one(self, example: Example) -> None:
        """Learn one example's label; raises ValueError for a target that the model does not have."""
        self._model(example.target).learn(encode(example.features), example.label)

    def explain_one(self, features: Features, target: str, k: int = 5) -> list[Contribution]:
        """The `k` features that move this target's log odds furthest from the average customer's, furthest first."""
        moved = self._model(target).contributions(encode(features))
        order = sorted((name for name in NAMES if moved.get(name)), key=lambda name: -abs(moved[name]))
        return [
            Contribution(feature=name, value=value, weight=moved[name], words=say(name, value))
            for name in order[:k]
            for value in (features.get(name),)
        ]

    def base_rate(self, target: str) -> float:
        """The log odds of the average customer: with all contributions it adds up to the prediction's."""
        return self._model(target).intercept

    def dump(self) -> dict[str, Any]:
        """The state as JSON-able numbers: a snapshot topic must never be a way to run code."""
        return {"format": FORMAT, "targets": {target: model.dump() for target, model in self._models.items()}}

    @classmethod
    def load(cls, state: object) -> "OnlineModel":
        """A model from `dump`'s state; raises ValueError for anything else."""
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise ValueError(f"not an online model's state of format {FORMAT}")
        targets = state.get("targets")
        if not isinstance(targets, dict) or set(targets) != set(TARGETS):
            raise ValueError(f"an online model's state has the targets {' and '.join(TARGETS)}")
        loaded = cls()
        loaded._models = {target: Logistic.load(targets[target]) for target in TARGETS}
        return loaded

    def _model(self, target: str) -> Logistic:
        model = self._models.get(target)
        if model is None:
            raise ValueError(f"no target {target!r}; there are {' and '.join(TARGETS)}")
        return model
