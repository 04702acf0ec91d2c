"""What was said of a partition's snapshots before its worker was killed: it stands, whatever the models say by now.

A snapshot whose score was sent keeps it, and the decisions that the score names. Where an alert was sent and the score
was not, that alert is what was decided; and as alerts are sent in the order of the snapshots, nothing was decided by
those before it of which none was. What had not been sent yet is sent. A snapshot that the profile stage said again,
after a crash of its own, has its score already.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from schemas.outputs import Score
from schemas.topics import ALERTS, FEATURES, RECOMMENDATIONS, SCORES
from stream.kafka.sent import Sent, read_back
from stream.settings import Settings

# The newest snapshots that have their score are known: more than a profile worker says again after a crash.
KNOWN: Final = 20_000


class _Scored(Struct):
    id: str


class _Decision(Struct):
    decision_id: str
    score_id: str = ""
    kind: str = ""


_scores = msgspec.json.Decoder(Score)
_scored = msgspec.json.Decoder(_Scored)
_decisions = msgspec.json.Decoder(_Decision)


def sent_before(settings: Settings, group: str, number: int) -> Iterable[Sent]:
    """What partition `number` had sent, from the group's last commit on. Blocks."""
    outputs = [SCORES.name, ALERTS.name, RECOMMENDATIONS.name]
    return read_back(settings.kafka_brokers, settings.topic_prefix, group, FEATURES.name, outputs, number)


class Before:
    """What was said, until the snapshots that it came from are read again."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}
        self._scores: dict[str, Score] = {}
        self._kinds: dict[str, list[str]] = {}
        self._last_alert = -1
        self._decisions: set[str] = set()
        self._forgotten: set[int] = set()

    def note(self, sent: Sent) -> None:
        """One output that was sent."""
        if sent.value is None:
            if sent.again:
                self._forgotten.add(sent.origin)
        elif sent.topic == SCORES.name:
            if sent.again:
                score = _scores.decode(sent.value)
                self._scores[score.id] = score
                self.scored(score.id)
            else:
                self.scored(_scored.decode(sent.value).id)
        elif sent.again:
            decision = _decisions.decode(sent.value)
            self._decisions.add(decision.decision_id)
            if sent.topic == ALERTS.name:
                self._kinds.setdefault(decision.score_id, []).append(decision.kind)
                self._last_alert = max(self._last_alert, sent.origin)

    def scored(self, snapshot: str) -> bool:
        """Whether a snapshot has its score already; from now on it has."""
        if snapshot in self._known:
            return True
        self._known[snapshot] = None
        if len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        return False

    def score(self, snapshot: str) -> Score | None:
        """The score that was sent of a snapshot; asked for once."""
        return self._scores.pop(snapshot, None)

    def kinds(self, snapshot: str, offset: int) -> list[str] | None:
        """The kinds of the alerts that were sent of a snapshot whose score was not; None where nobody knows yet."""
        return self._kinds.pop(snapshot, []) if offset <= self._last_alert else None

    def decided(self, decision_id: str) -> bool:
        """Whether an alert or a recommendation was sent; asked for once."""
        if decision_id not in self._decisions:
            return False
        self._decisions.remove(decision_id)
        return True

    def forgotten(self, origin: int) -> bool:
        """Whether the record at this offset of `features` was passed on already; asked for once."""
        if origin not in self._forgotten:
            return False
        self._forgotten.remove(origin)
        return True
