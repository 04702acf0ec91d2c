"""One target's learners side by side, and the mixture of what they say."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from online.encode import encode
from online.learners.basis import Vector, aligned
from online.learners.forest import Forest
from online.learners.mixture import Mixture
from online.learners.newton import Newton
from online.learners.renewal import Like
from online.logistic import Logistic
from schemas.odds import logit
from schemas.outputs import Features

PRIOR: Final = {"linear": 0.12, "newton": 0.56, "forest": 0.12, "renewal": 0.2}
NAMES: Final = frozenset(PRIOR)
RENEWAL: Final = "renewal"
# Only the second-order regression can begin with what another shop taught; the others would say that they know nothing.
SPEAKS: Final = 200


class Given(Struct, frozen=True):
    """Features as the learners read them: encoded once for all learners and targets."""

    inputs: Any
    values: Vector

    @classmethod
    def of(cls, features: Features) -> "Given":
        """The encoded features."""
        inputs = encode(features)
        return cls(inputs, aligned(inputs))


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    weights: dict[str, float]
    linear: dict[str, Any]
    newton: dict[str, Any]
    forest: dict[str, Any]


class Blend:
    """A first-order and a second-order regression, a forest, and what these say corrected by her own past, weighted by
    what they said then and what came true.
    """

    def __init__(self, newton: Newton | None = None) -> None:
        self.linear = Logistic()
        self.newton = newton or Newton()
        self.forest = Forest()
        self.mixture = Mixture(PRIOR)

    def predict(self, given: Given, like: Like | None = None) -> dict[str, float]:
        """What each learner says, once it has learned enough to say anything; changes nothing.

        `like` are the like moments of her past, where there are any.
        """
        said = {"newton": self.newton.predict(given.values)}
        if self.newton.learned >= SPEAKS:
            said["linear"] = self.linear.predict(given.inputs)
            said["forest"] = self.forest.predict(given.values)
        if like is not None and like.days > 0.0:
            said[RENEWAL] = like.correct(self.combine(said))
        return said

    def combine(self, said: Mapping[str, float]) -> float:
        """The mixture of what they say."""
        mixed = self.mixture.combine(said)
        return 0.5 if mixed is None else mixed

    def past_moved(self, said: Mapping[str, float]) -> float:
        """How far her past moves the log odds of what the others say; 0 where it says nothing."""
        if RENEWAL not in said:
            return 0.0
        others = {name: p for name, p in said.items() if name != RENEWAL}
        return logit(self.combine(said)) - logit(self.combine(others))

    def learn(self, given: Given, label: bool, said: dict[str, float]) -> None:
        """Take in one example; `said` is what the learners said when it was scored."""
        self.mixture.learn({name: p for name, p in said.items() if name in NAMES}, label)
        self.linear.learn(given.inputs, label)
        self.newton.learn(given.values, float(label))
        self.forest.learn(given.values, float(label))

    def dump(self) -> dict[str, Any]:
        """The state as plain numbers."""
        return {
            "weights": dict(self.mixture.weights),
            "linear": self.linear.dump(),
            "newton": self.newton.dump(),
            "forest": self.forest.dump(),
        }

    @classmethod
    def load(cls, state: object) -> "Blend":
        """The learners of `dump`'s state; raises ValueError for anything else."""
        try:
            held = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not an online model's state: {error}") from error
        blend = cls()
        blend.mixture = Mixture.checked(_joined(held.weights), NAMES)
        blend.linear = Logistic.load(held.linear)
        blend.newton = Newton.load(held.newton)
        blend.forest = Forest.load(held.forest)
        return blend


def _joined(weights: dict[str, float]) -> dict[str, float]:
    """The weights with that of the renewal, which a snapshot written before it joined does not have."""
    if weights.keys() != NAMES - {RENEWAL}:
        return weights
    return {name: (1.0 - PRIOR[RENEWAL]) * weight for name, weight in weights.items()} | {RENEWAL: PRIOR[RENEWAL]}
