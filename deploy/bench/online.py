"""The online learners' speed on one core, beside River's own models used directly, on the same features."""

import math
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from online.encode import encode
from online.learners.amount import Amount
from online.learners.basis import vector
from online.learners.blend import NAMES
from online.learners.forest import Forest
from online.learners.newton import Newton
from online.learners.renewal import past
from online.logistic import Logistic
from online.metrics import roc_auc
from online.state import Learner
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS, FEATURES
from schemas.odds import sigmoid
from schemas.outputs import Example, Features, Moment, Parts

# A story as long as they get, of orders only: the dearest.
_NOW: Final = 400 * DAY_MS
_STORY: Final = [Moment(_NOW - (5 + 11 * n) * DAY_MS, Behaviour.ORDER) for n in reversed(range(32))]
_HORIZONS: Final = {"churn": 30 * DAY_MS, "intent": 7 * DAY_MS}


class Known(NamedTuple):
    """Features, and what came true of them."""

    features: Features
    label: bool


class Contender(NamedTuple):
    """A learner's two verbs: from the features, as it takes them, to a probability; and features and label in."""

    predict: Callable[[Features], float]
    learn: Callable[[Known], None]


def measure(examples: int, seed: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """By learner: predictions and examples per second of one core's CPU time, and ROC AUC of predicting first.

    All go through the same examples, features to answer, so that what each does to its inputs counts. `river_` are
    River's models used directly, on the registry's features after the same encoding.
    """
    known = list(shop(examples, random.Random(seed)))
    found = {}
    for name, make in CONTENDERS.items():
        tell(name)
        found[name] = _run(make(), known)
    return {"examples": examples, "features": len(FEATURES), "learners": found}


def shop(examples: int, rng: random.Random) -> Iterator[Known]:
    """Customers with every feature of the registry, some missing; a label that follows from a few of them."""
    for _ in range(examples):
        features: Features = {
            f.name: None if rng.random() < 0.1 else rng.random() if f.unit == "share" else rng.expovariate(0.2)
            for f in FEATURES
        }
        since, orders = features["days_since_order"] or 30.0, features["orders_90d"] or 0.0
        odds = 1.5 * math.log1p(since) - 1.2 * math.log1p(orders) - 0.3 * (orders > 8)
        yield Known(features, rng.random() < sigmoid(odds))


def _run(contender: Contender, known: list[Known]) -> dict[str, float]:
    said, learn_s = [], 0.0
    began = time.process_time()
    for one in known:
        said.append(contender.predict(one.features))
        then = time.process_time()
        contender.learn(one)
        learn_s += time.process_time() - then
    whole = time.process_time() - began
    half = len(known) // 2
    auc = roc_auc([one.label for one in known[half:]], said[half:])
    return {
        "predictions_per_s": round(len(known) / max(1e-9, whole - learn_s), 1),
        "examples_per_s": round(len(known) / max(1e-9, learn_s), 1),
        "auc": round(auc or 0.0, 4),
    }


def _linear() -> Contender:
    model = Logistic()
    return Contender(
        lambda features: model.predict(encode(features)), lambda one: model.learn(encode(one.features), one.label)
    )


def _newton() -> Contender:
    model = Newton()
    return Contender(
        lambda features: model.predict(vector(features)),
        lambda one: model.learn(vector(one.features), float(one.label)),
    )


def _forest() -> Contender:
    model = Forest()
    return Contender(
        lambda features: model.predict(vector(features)),
        lambda one: model.learn(vector(one.features), float(one.label)),
    )


def _amount() -> Contender:
    model = Amount()
    return Contender(
        lambda features: model.predict(vector(features)) or 0.0,
        lambda one: model.learn(vector(one.features), 100.0 * one.label),
    )


def _all() -> Contender:
    """What the pipeline does with a snapshot, all targets, and with an example: metrics, drift and weights too."""
    learner = Learner()

    def learn(one: Known) -> None:
        learner.learn_one(
            Example(
                id="", customer="", at=0, matured=0, target="churn", label=one.label, features=one.features, story="",
                served=0.5, bert=0.5, online=0.5, learners=dict.fromkeys(NAMES, 0.5),
            )
        )  # fmt: skip

    bert = Parts(churn=0.5, intent=0.5)

    def predict(features: Features) -> float:
        return learner.answer(features, bert, past(_STORY, _NOW, _HORIZONS)).online.churn

    return Contender(predict, learn)


def _river(model: Any) -> Contender:
    def inputs(features: Features) -> dict[str, float]:
        given = encode(features)
        return given.values | given.missing

    def predict(features: Features) -> float:
        return float(model.predict_proba_one(inputs(features)).get(True, 0.5))

    return Contender(predict, lambda one: model.learn_one(inputs(one.features), one.label))


def _river_linear() -> Contender:
    from river import linear_model, preprocessing

    return _river(preprocessing.StandardScaler() | linear_model.LogisticRegression())


def _river_bayes() -> Contender:
    from river import naive_bayes

    return _river(naive_bayes.GaussianNB())


def _river_forest() -> Contender:
    from river import forest

    return _river(forest.ARFClassifier(n_models=10, seed=7))


CONTENDERS: Final[dict[str, Callable[[], Contender]]] = {
    "linear": _linear,
    "newton": _newton,
    "forest": _forest,
    "amount": _amount,
    "all": _all,
    "river_linear": _river_linear,
    "river_bayes": _river_bayes,
    "river_forest": _river_forest,
}
