"""Why the online model says what it says: what the features push, and what her own past pushes beside them."""

from collections.abc import Mapping
from typing import Final

from online.learner import OnlineModel
from online.learners.renewal import CHURN, Past
from schemas.features import DAY_MS
from schemas.outputs import Contribution, Features

PAST: Final = "past"
KEPT: Final = 5


def reasons(
    model: OnlineModel,
    target: str,
    features: Features,
    past: Past,
    said: Mapping[str, float],
    horizons: Mapping[str, int],
) -> list[Contribution]:
    """The `KEPT` reasons that move this target's log odds furthest, furthest first.

    `said` is what the learners say of her, `past` are the like moments of her past by target, and `horizons` (ms) tell
    what these are of. Her past is told as the feature `past`: its value is the share of like moments at which the
    target came true, its weight how far it moved the mixture.
    """
    found = model.explain_one(features, target, KEPT)
    like, weight = past.get(target), model.past_moved(target, said)
    if like is None or not weight:
        return found
    share, days = like.true / like.days, round(horizons[target] / DAY_MS)
    words, words_zh = _NONE if target == CHURN else _SOME
    hers = Contribution(
        feature=PAST,
        value=share,
        weight=weight,
        words=words.format(days=days, share=f"{share:.0%}"),
        words_zh=words_zh.format(days=days, share=f"{share:.0%}"),
    )
    return sorted([*found, hers], key=lambda one: -abs(one.weight))[:KEPT]


_SOME: Final = (
    "as long after earlier orders, ordered again within {days} days {share} of the time",
    "以往下单后隔了这么久时，有{share}的情况在{days}天内再次下单",
)
_NONE: Final = (
    "as long after earlier orders, did not order for {days} days more {share} of the time",
    "以往下单后隔了这么久时，有{share}的情况此后{days}天没有再下单",
)
