"""The online model: churn, intent and value, learned from what customers did, one example at a time."""

from collections.abc import Mapping
from typing import Any, Final

from online.learners.amount import Amount
from online.learners.basis import vector
from online.learners.blend import Blend, Given
from online.learners.renewal import UNKNOWN, Past
from online.prior import Prior
from online.words import say
from schemas.features import NAMES
from schemas.outputs import Contribution, Example, Features, Parts

TARGETS: Final = ("churn", "intent")
VALUE: Final = "value"
LEARNED: Final = (*TARGETS, VALUE)
FORMAT: Final = 2

# What each learner says, by target.
Said = dict[str, dict[str, float]]


class OnlineModel:
    """Several learners a target over the registered features, and their mixture.

    It begins with what a `prior` says; without one it knows nothing. Predicting changes nothing, a loaded copy agrees
    exactly, and memory is bounded by the registry.

    >>> OnlineModel().predict_one({"orders_30d": 2.0})
    Parts(churn=0.5, intent=0.5, value=None)
    """

    def __init__(self, prior: Prior | None = None) -> None:
        self._blends = {target: Blend(prior.begin(target) if prior else None) for target in TARGETS}
        self._amount = Amount()

    @property
    def learned(self) -> dict[str, int]:
        """How many examples each target has learned."""
        found = {target: blend.newton.learned for target, blend in self._blends.items()}
        return found | {VALUE: self._amount.learned}

    def predict_one(self, features: Features, past: Past = UNKNOWN) -> Parts:
        """The probabilities of no purchase within the churn horizon and of a purchase within the intent horizon, and
        the spend expected within the value horizon (None until it is known).
        """
        return self.answer(features, past)[0]

    def answer(self, features: Features, past: Past = UNKNOWN) -> tuple[Parts, Said]:
        """The prediction, and what each learner says."""
        given = Given.of(features)
        said = {target: blend.predict(given, past.get(target)) for target, blend in self._blends.items()}
        mixed = {target: self._blends[target].combine(said[target]) for target in TARGETS}
        return Parts(churn=mixed["churn"], intent=mixed["intent"], value=self._amount.predict(given.values)), said

    def learn_one(self, example: Example) -> None:
        """Learn one example's outcome; raises ValueError for a target that the model does not have."""
        if example.target == VALUE:
            if example.amount is not None:
                self._amount.learn(vector(example.features), example.amount)
            return
        self._blend(example.target).learn(Given.of(example.features), example.label, example.learners)

    def explain_one(self, features: Features, target: str, k: int = 5) -> list[Contribution]:
        """The `k` features that move this target's log odds furthest from the average customer's, furthest first.

        The second-order regression speaks for the mixture: it is additive, and has most of the weight.
        """
        moved = self._blend(target).newton.contributions(vector(features))
        order = sorted((name for name in NAMES if moved.get(name)), key=lambda name: -abs(moved[name]))
        return [
            Contribution(feature=name, value=value, weight=moved[name], words=say(name, value))
            for name in order[:k]
            for value in (features.get(name),)
        ]

    def past_moved(self, target: str, said: Mapping[str, float]) -> float:
        """How far a customer's own past moves this target's log odds, where the learners say this of her."""
        return self._blend(target).past_moved(said)

    def base_rate(self, target: str) -> float:
        """The log odds of the average customer: with all contributions it adds up to the regression's."""
        return self._blend(target).newton.intercept

    def weights(self, target: str) -> dict[str, float]:
        """The learners' weights in the mixture."""
        return dict(self._blend(target).mixture.weights)

    def dump(self) -> dict[str, Any]:
        """The state as JSON-able numbers: a snapshot topic must never be a way to run code."""
        targets = {target: blend.dump() for target, blend in self._blends.items()}
        return {"format": FORMAT, "targets": targets, "amount": self._amount.dump()}

    @classmethod
    def load(cls, state: object) -> "OnlineModel":
        """A model from `dump`'s state; raises ValueError for anything else."""
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise ValueError(f"not an online model's state of format {FORMAT}")
        targets = state.get("targets")
        if not isinstance(targets, dict) or set(targets) != set(TARGETS):
            raise ValueError(f"an online model's state has the targets {' and '.join(TARGETS)}")
        loaded = cls()
        loaded._blends = {target: Blend.load(targets[target]) for target in TARGETS}
        loaded._amount = Amount.load(state.get("amount"))
        return loaded

    def _blend(self, target: str) -> Blend:
        blend = self._blends.get(target)
        if blend is None:
            raise ValueError(f"no target {target!r}; there are {' and '.join(TARGETS)}")
        return blend
