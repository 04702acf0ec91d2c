"""All that learns from examples, as one state with a version: what `learn` owns and every score worker follows."""

from typing import Any, Final, NamedTuple

from online.contest import ENSEMBLE, Contest
from online.drift import Drift
from online.ensemble import Ensemble
from online.learner import LEARNED, TARGETS, VALUE, OnlineModel, Said
from online.learners.renewal import UNKNOWN, Past
from online.metrics import Rolling
from online.prior import Prior
from schemas.outputs import Example, Features, ModelSnapshot, Parts

NAME: Final = "online"


class Answer(NamedTuple):
    """What is served, what the online model says, and what each of its learners and the ensemble say by target."""

    served: Parts
    online: Parts
    learners: Said


class Learner:
    """The online model, the ensemble's weights, who serves, progressive metrics and drift detectors of all targets."""

    def __init__(self, prior: Prior | None = None) -> None:
        self.model = OnlineModel(prior)
        self.ensembles = {target: Ensemble() for target in TARGETS}
        self.contests = {target: Contest() for target in TARGETS}
        self.rolling = {target: Rolling() for target in TARGETS}
        self.drift = {target: Drift() for target in TARGETS}

    @property
    def version(self) -> str:
        """`r` and the examples learned: the same on every worker, and after every restart."""
        return f"r{sum(self.model.learned.values())}"

    def learn_one(self, example: Example) -> None:
        """Learn one example: judge what was served, then the weights, then the model. Raises ValueError for a
        target that there is not, before anything has changed.
        """
        if example.target not in LEARNED:
            raise ValueError(f"no target {example.target!r}; there are {', '.join(LEARNED)}")
        if example.target in TARGETS:
            self.rolling[example.target].learn_one(example)
            self.drift[example.target].learn_one(example)
            self.contests[example.target].learn(_candidates(example), example.label, example.matured)
            self.ensembles[example.target].learn_one(example)
        self.model.learn_one(example)

    def answer(self, features: Features, bert: Parts | None, past: Past = UNKNOWN) -> Answer:
        """What is served of these features, BERT's answer (None: it gave none) and the like moments of her past, and
        what every candidate says.
        """
        online, said = self.model.answer(features, past)
        served = {target: self._serve(target, bert, online, said[target]) for target in TARGETS}
        value = online.value if bert is None or bert.value is None else bert.value
        return Answer(Parts(churn=served["churn"], intent=served["intent"], value=value), online, said)

    def _serve(self, target: str, bert: Parts | None, online: Parts, said: dict[str, float]) -> float:
        """The champion's probability; the ensemble's where the champion says nothing. Adds the ensemble to `said`."""
        mine: float = getattr(online, target)
        theirs: float | None = getattr(bert, target, None)
        said[ENSEMBLE] = self.ensembles[target].combine(theirs, mine)
        champion = self.contests[target].champion
        if champion == "online":
            return mine
        if champion == "bert" and theirs is not None:
            return theirs
        return said.get(champion, said[ENSEMBLE])

    def bert_share(self, target: str) -> float:
        """How much of what is served is BERT's, where it answered: all of it where it is the champion."""
        champion = self.contests[target].champion
        if champion == ENSEMBLE:
            return self.ensembles[target].bert_weight
        return float(champion == "bert")

    def metrics(self) -> dict[str, float]:
        """`churn.online.auc` and so on, with each target's weights, examples learned, drift detections and swaps."""
        found: dict[str, float] = {}
        for target in TARGETS:
            found |= {f"{target}.{name}": value for name, value in self.rolling[target].get().items()}
            found[f"{target}.bert_weight"] = self.ensembles[target].bert_weight
            found[f"{target}.learned"] = float(self.model.learned[target])
            found[f"{target}.drift"] = float(self.drift[target].detections)
            found |= {f"{target}.{name}": count for name, count in self.contests[target].counts.items()}
            found |= {f"{target}.{name}.weight": weight for name, weight in self.model.weights(target).items()}
        return found | {f"{VALUE}.learned": float(self.model.learned[VALUE])}

    def snapshot(self, offset: int, at: int) -> ModelSnapshot:
        """The state as of `offset` (exclusive) of the examples, at epoch ms `at`; plain numbers only."""
        state: dict[str, Any] = {
            "model": self.model.dump(),
            "ensembles": {target: self.ensembles[target].dump() for target in TARGETS},
            "contests": {target: self.contests[target].dump() for target in TARGETS},
            "rolling": {target: self.rolling[target].dump() for target in TARGETS},
            "drift": {target: self.drift[target].dump() for target in TARGETS},
        }
        return ModelSnapshot(name=NAME, version=self.version, offset=offset, at=at, state=state, metrics=self.metrics())

    @classmethod
    def restore(cls, snapshot: ModelSnapshot, *, serving: bool = False) -> "Learner":
        """The learner of a snapshot, or one that is to predict but not to learn; raises ValueError for what is none."""
        if snapshot.name != NAME:
            raise ValueError(f"a snapshot of {snapshot.name!r}, not of {NAME!r}")
        state = snapshot.state
        if not isinstance(state, dict):
            raise ValueError("the snapshot has no state")
        learner = cls()
        learner.model = OnlineModel.load(state.get("model"))
        learner.ensembles = {t: Ensemble.load(_part(state, "ensembles", t)) for t in TARGETS}
        learner.contests = {t: Contest.load(_part(state, "contests", t)) for t in TARGETS}
        learner.rolling = {t: Rolling.load(_part(state, "rolling", t)) for t in TARGETS}
        for target, rolling in learner.rolling.items():
            losses = () if serving else rolling.served_losses()
            learner.drift[target] = Drift.load(_part(state, "drift", target), losses)
        if learner.version != snapshot.version:
            raise ValueError(f"a snapshot of version {snapshot.version!r} that holds {learner.version!r}")
        return learner


def _candidates(example: Example) -> dict[str, float]:
    """What each candidate said of an example when it was scored."""
    given = {"bert": example.bert, "online": example.online}
    return example.learners | {name: p for name, p in given.items() if p is not None}


def _part(state: dict[str, Any], name: str, target: str) -> object:
    part = state.get(name)
    if not isinstance(part, dict) or target not in part:
        raise ValueError(f"the snapshot's state has no {name} for {target}")
    return part[target]
