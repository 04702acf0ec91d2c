"""What the columns of BERT's answer mean: one a head of the manifest, in its order."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from schemas.outputs import Parts

Answers = np.ndarray[Any, np.dtype[np.float32]]

CHURN: Final = "churn"
INTENT: Final = "intent"
VALUE: Final = "value"
SENTIMENT: Final = "sentiment"

# exp(25) is more than anybody spends, and a finite number: an odd answer must not become an infinite amount.
_LARGEST_LOG: Final = 25.0


def parts(heads: Sequence[str], answers: Answers) -> list[Parts]:
    """Answers, [texts, heads], as `Parts`: value's column is log1p of an amount, the others are probabilities."""
    churn, intent = answers[:, heads.index(CHURN)].tolist(), answers[:, heads.index(INTENT)].tolist()
    value: list[float | None] = [None] * len(answers)
    if VALUE in heads:
        logs = answers[:, heads.index(VALUE)].astype(np.float64)
        value = np.expm1(np.clip(logs, 0.0, _LARGEST_LOG)).tolist()
    return [Parts(churn=c, intent=i, value=v) for c, i, v in zip(churn, intent, value, strict=True)]


def has_sentiment(heads: Sequence[str]) -> bool:
    """Whether the model reads reviews."""
    return SENTIMENT in heads


def sentiment(heads: Sequence[str], answers: Answers) -> list[float]:
    """The probability that each review is content, of a model that reads reviews."""
    content: list[float] = answers[:, heads.index(SENTIMENT)].tolist()
    return content
