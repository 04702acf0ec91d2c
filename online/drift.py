"""Drift: has the served score become worse than it used to be?"""

from collections.abc import Iterable
from typing import Any

from online.adwin import Adwin
from online.metrics import log_loss
from schemas.outputs import Example


class Drift:
    """ADWIN on one target's served log loss; `detections` counts the changes it found."""

    def __init__(self) -> None:
        self.detections = 0
        self._adwin = Adwin()

    def learn_one(self, example: Example) -> bool:
        """Take in one example; whether it showed a change."""
        if example.served is None:
            return False
        found = self._adwin.update(log_loss(example.label, example.served))
        self.detections += found
        return found

    def dump(self) -> dict[str, Any]:
        """The state for JSON."""
        return {"detections": self.detections, "window": self._adwin.dump()}

    @classmethod
    def load(cls, state: object, losses: Iterable[float] = ()) -> "Drift":
        """The detector of a `dump`; raises ValueError for anything else.

        An older snapshot has the count alone: its detector goes on from the `losses` of the metrics window.
        """
        drift = cls()
        given = state if isinstance(state, dict) else {"detections": state, "window": None}
        detections, window = given.get("detections"), given.get("window")
        if not isinstance(detections, int) or detections < 0:
            raise ValueError("the snapshot's drift detections are no count")
        drift.detections = detections
        if window is not None:
            drift._adwin = Adwin.load(window)
        else:
            for loss in losses:
                drift._adwin.update(loss)
        return drift
