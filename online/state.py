"""All that learns from examples, as one state with a version: what `learn` owns and every score worker follows."""

from typing import Any, Final

from online.drift import Drift
from online.ensemble import Ensemble
from online.learner import TARGETS, OnlineModel
from online.metrics import Rolling
from schemas.outputs import Example, ModelSnapshot, Parts

NAME: Final = "online"


class Learner:
    """The online model, the ensemble's weights, the progressive metrics and the drift detectors of all targets."""

    def __init__(self) -> None:
        self.model = OnlineModel()
        self.ensembles = {target: Ensemble() for target in TARGETS}
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
        if example.target not in TARGETS:
            raise ValueError(f"no target {example.target!r}; there are {' and '.join(TARGETS)}")
        self.rolling[example.target].learn_one(example)
        self.drift[example.target].learn_one(example)
        self.ensembles[example.target].learn_one(example)
        self.model.learn_one(example)

    def combine(self, bert: Parts | None, online: Parts) -> Parts:
        """The served probabilities; without BERT they are the online model's."""
        return Parts(
            churn=self.ensembles["churn"].combine(None if bert is None else bert.churn, online.churn),
            intent=self.ensembles["intent"].combine(None if bert is None else bert.intent, online.intent),
        )

    def metrics(self) -> dict[str, float]:
        """`churn.online.auc` and so on, with each target's weight of BERT, examples learned and drift detections."""
        found: dict[str, float] = {}
        for target in TARGETS:
            found |= {f"{target}.{name}": value for name, value in self.rolling[target].get().items()}
            found[f"{target}.bert_weight"] = self.ensembles[target].bert_weight
            found[f"{target}.learned"] = float(self.model.learned[target])
            found[f"{target}.drift"] = float(self.drift[target].detections)
        return found

    def snapshot(self, offset: int, at: int) -> ModelSnapshot:
        """The state as of `offset` (exclusive) of the examples, at epoch ms `at`; plain numbers only."""
        state: dict[str, Any] = {
            "model": self.model.dump(),
            "ensembles": {target: self.ensembles[target].dump() for target in TARGETS},
            "rolling": {target: self.rolling[target].dump() for target in TARGETS},
            "drift": {target: self.drift[target].detections for target in TARGETS},
        }
        return ModelSnapshot(name=NAME, version=self.version, offset=offset, at=at, state=state, metrics=self.metrics())

    @classmethod
    def restore(cls, snapshot: ModelSnapshot) -> "Learner":
        """The learner of a snapshot; raises ValueError for what is none."""
        if snapshot.name != NAME:
            raise ValueError(f"a snapshot of {snapshot.name!r}, not of {NAME!r}")
        state = snapshot.state
        learner = cls()
        learner.model = OnlineModel.load(state.get("model"))
        learner.ensembles = {t: Ensemble.load(_part(state, "ensembles", t)) for t in TARGETS}
        learner.rolling = {t: Rolling.load(_part(state, "rolling", t)) for t in TARGETS}
        for target, rolling in learner.rolling.items():
            detections = _part(state, "drift", target)
            if not isinstance(detections, int) or detections < 0:
                raise ValueError("the snapshot's drift detections are no count")
            learner.drift[target] = Drift(detections, rolling.served_losses())
        if learner.version != snapshot.version:
            raise ValueError(f"a snapshot of version {snapshot.version!r} that holds {learner.version!r}")
        return learner


def _part(state: dict[str, Any], name: str, target: str) -> object:
    part = state.get(name)
    if not isinstance(part, dict) or target not in part:
        raise ValueError(f"the snapshot's state has no {name} for {target}")
    return part[target]
