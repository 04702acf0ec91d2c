"""What was said to a shop's customers, held against itself: whatever versions of the models said it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from online.alerts import HOLDOUT, arm
from online.said import MONITOR, Said, decode_said
from schemas.outputs import Alert, Recommendation, Score, Snapshot
from schemas.topics import ALERTS, DECISIONS, FEATURES, RECOMMENDATIONS, SCORES
from stream.settings import Settings
from tests.chaos.outcome import apart
from tests.integration.kafka_tools import newest, records

_snapshots = msgspec.json.Decoder(Snapshot)
_scores = msgspec.json.Decoder(Score)
_alerts = msgspec.json.Decoder(Alert)
_lists = msgspec.json.Decoder(Recommendation)


class Spoken(NamedTuple):
    """Ids of the snapshots, scores, alerts and recommendations as they were sent, and what the store remembers."""

    snapshots: frozenset[str]
    scores: list[Score]
    alerts: list[Alert]
    lists: list[Recommendation]
    remembered: dict[str, Said]

    @property
    def versions(self) -> int:
        """How many versions of the online model scored."""
        return len({score.models["online"] for score in self.scores})


def spoken(shop: Settings) -> Spoken:
    """Read everything that the score stage has read and written."""
    return Spoken(
        frozenset(_snapshots.decode(value).id for _, value in records(shop, FEATURES) if value),
        [_scores.decode(value) for _, value in records(shop, SCORES) if value],
        [_alerts.decode(value) for _, value in records(shop, ALERTS) if value],
        [_lists.decode(value) for _, value in records(shop, RECOMMENDATIONS) if value],
        {key.decode(): decode_said(value) for key, value in newest(shop, DECISIONS).items() if key != MONITOR},
    )


def contradictions(said: Spoken, holdout_share: float) -> list[str]:
    """In words, what was said twice, not at all, or otherwise than it is remembered; empty when all agrees."""
    scored = Counter(score.id for score in said.scores)
    found = list(_twice("scores", scored))
    found += _twice("alerts", Counter(alert.decision_id for alert in said.alerts))
    found += _twice("recommendations", Counter(one.decision_id for one in said.lists))
    found += apart("score", set(scored), set(said.snapshots))
    decided = {(score.id, kind) for score in said.scores for kind in score.decided or ()}
    held = {score.id for score in said.scores if arm(score.customer, holdout_share) == HOLDOUT}
    sent = {(alert.score_id, alert.kind) for alert in said.alerts}
    found += apart("alert", sent, {one for one in decided if one[0] not in held})
    found += apart("last remembered alert", _remembered(said), _last(said.scores))
    return found


def _remembered(said: Spoken) -> set[tuple[str, str, int]]:
    return {
        (customer, kind, last.at)
        for customer, one in said.remembered.items()
        for kind, last in one.kinds.items()
        if last.at is not None
    }


def _last(scores: Iterable[Score]) -> set[tuple[str, str, int]]:
    found: dict[tuple[str, str], int] = {}
    for score in scores:
        for kind in score.decided or ():
            found[score.customer, kind] = max(score.at, found.get((score.customer, kind), 0))
    return {(customer, kind, at) for (customer, kind), at in found.items()}


def _twice(what: str, counts: Counter[str]) -> Iterator[str]:
    more = [name for name, count in counts.items() if count > 1]
    if more:
        yield f"{len(more)} {what} more than once, such as {more[0]}"
