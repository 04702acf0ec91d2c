"""Drift: has the served score become worse than it used to be?"""

from collections.abc import Iterable

from river import drift

from online.metrics import log_loss
from schemas.outputs import Example


class Drift:
    """ADWIN on one target's served log loss; `detections` counts the changes it found.

    ADWIN's own window cannot be written as plain numbers: a restored detector is fed the losses of the metrics
    window again, without counting, so that it goes on from what it knew. Source: Bifet and Gavalda 2007.
    """

    def __init__(self, detections: int = 0, losses: Iterable[float] = ()) -> None:
        self.detections = detections
        self._adwin = drift.ADWIN()
        for loss in losses:
            self._adwin.update(loss)

    def learn_one(self, example: Example) -> bool:
        """Take in one example; whether it showed a change."""
        if example.served is None:
            return False
        self._adwin.update(log_loss(example.label, example.served))
        found = bool(self._adwin.drift_detected)
        self.detections += found
        return found
