"""A log of the past lived through again: the engine's snapshots, scored by a model that learns as it goes.

::

    events --> engine --> snapshot --> score (by the model as it is then) --> yielded
                 |                       |
                 +-- orders --------> known a horizon and the lateness later --> learned

In process and in one thread. A score is made before anything that happened after it is learned: what comes of it is
known once the horizon and the lateness have passed, and not before. As live, the first score of a customer and day is
what is learned from.
"""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from online.learner import OnlineModel
from online.learners.renewal import past
from schemas.behaviours import Behaviour
from schemas.event import Event
from schemas.features import DAY_MS
from schemas.outputs import Example, Score, Snapshot
from stream.features.engine import Config, Engine


def snapshots(
    events: Iterable[Event], config: Config, new_day: Callable[[int], None] = lambda _clock: None
) -> Iterator[Snapshot]:
    """The engine's snapshots of events in order of time; `new_day` hears of each day's first event's time before it."""
    engine = Engine(config)
    today = 0
    for offset, event in enumerate(events):
        if event.at // DAY_MS > today:
            today = event.at // DAY_MS
            new_day(event.at)
            for _ in engine.flush():  # Prunes what no feature sees any more.
                pass
        yield from (one for one in engine.apply(event, 0, offset, event.at) if isinstance(one, Snapshot))


class Replayed:
    """One engine and one model, which learns the targets of which a horizon is given (churn, intent; in ms).

    `orders` are each customer's times so far, in order.
    """

    def __init__(self, config: Config, horizons: Mapping[str, int]) -> None:
        self._config = config
        self._horizons = horizons
        self._model = OnlineModel()
        self._waiting: dict[str, deque[Score]] = {target: deque() for target in horizons}
        self._kept: dict[str, int] = {}
        self.orders: defaultdict[str, list[int]] = defaultdict(list)

    def scores(self, events: Iterable[Event]) -> Iterator[tuple[Score, Snapshot]]:
        """A score for each of the engine's snapshots; the events, all of them orders, are in order of time."""
        for snapshot in snapshots(self._watched(events), self._config, self._learn):
            yield self._score(snapshot), snapshot

    def _watched(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            if event.behaviour == Behaviour.ORDER:
                self.orders[event.customer].append(event.at)
            yield event

    def _score(self, snapshot: Snapshot) -> Score:
        online = self._model.predict_one(snapshot.features, past(snapshot.story, snapshot.at, self._horizons))
        score = Score(
            id=snapshot.id,
            customer=snapshot.customer,
            at=snapshot.at,
            trigger=snapshot.trigger,
            arrived=snapshot.arrived,
            churn=online.churn,
            intent=online.intent,
            source="online",
            online=online,
            models={"online": f"r{sum(self._model.learned.values())}"},
            reasons={},
            features=snapshot.features,
            story="",
        )
        if self._kept.get(score.customer) != score.at // DAY_MS:
            self._kept[score.customer] = score.at // DAY_MS
            for waiting in self._waiting.values():
                waiting.append(score)
        return score

    def _learn(self, clock: int) -> None:
        for target in self._horizons:
            self._learn_target(target, clock)

    def _learn_target(self, target: str, clock: int) -> None:
        """Learn from the scores whose horizon and lateness are over; they wait about in order of time."""
        waiting, horizon = self._waiting[target], self._horizons[target]
        while waiting and waiting[0].at + horizon + self._config.lateness <= clock:
            score = waiting.popleft()
            orders = self.orders[score.customer]
            following = bisect_right(orders, score.at)
            ordered = following < len(orders) and orders[following] <= score.at + horizon
            said = score.churn if target == "churn" else score.intent
            self._model.learn_one(
                Example(
                    id=score.id,
                    customer=score.customer,
                    at=score.at,
                    matured=clock,
                    target=target,
                    label=ordered == (target == "intent"),
                    features=score.features,
                    story="",
                    served=said,
                    bert=None,
                    online=said,
                )
            )
