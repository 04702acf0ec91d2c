"""Probabilities as log odds and back: where contributions add up, and where sources are mixed."""

import math
from typing import Final

LOGIT: Final = 6.0


def logit(probability: float) -> float:
    """Log odds, within `LOGIT`, so that one source's certainty cannot drown the others.

    >>> logit(0.5), logit(1.0), logit(0.0)
    (0.0, 6.0, -6.0)
    """
    p = min(1.0 - 1e-9, max(1e-9, probability))
    return max(-LOGIT, min(LOGIT, math.log(p / (1.0 - p))))


def sigmoid(log_odds: float) -> float:
    """The probability of log odds, without overflow.

    >>> sigmoid(0.0), sigmoid(1e4), sigmoid(-1e4)
    (0.5, 1.0, 0.0)
    """
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)
