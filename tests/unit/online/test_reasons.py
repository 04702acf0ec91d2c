"""Her past is a reason beside the features, as far as it moves what the learners say."""

import pytest

from online.learner import OnlineModel
from online.learners.blend import PRIOR, RENEWAL
from online.learners.renewal import Like
from online.reasons import KEPT, PAST, reasons
from schemas.features import DAY_MS
from schemas.odds import logit
from schemas.outputs import Contribution, Example, Features

HORIZONS = {"churn": 30 * DAY_MS, "intent": 7 * DAY_MS}
FEATURES: Features = {"orders_30d": 4.0, "days_since_order": 3.0, "spend_30d": 80.0, "tenure_days": 300.0, "hour": 9.0}


def learned() -> OnlineModel:
    """A model that has learned from frequent customers that they come, and from others that they do not."""
    model = OnlineModel()
    for n in range(60):
        features = {name: (value or 0.0) * (1.0 + n % 2) + n % 7 for name, value in FEATURES.items()}
        for target in HORIZONS:
            label = (n % 2 == 1) == (target == "intent")
            model.learn_one(
                Example(
                    id="e", customer="c", at=0, matured=1, target=target, label=label, features=dict(features),
                    story="", served=0.5, bert=None, online=None,
                )
            )  # fmt: skip
    return model


def told(model: OnlineModel, target: str, past: dict[str, Like], features: Features = FEATURES) -> list[Contribution]:
    _, said = model.answer(features, past)
    return reasons(model, target, features, past, said[target], HORIZONS)


def test_without_a_past_the_features_speak_alone() -> None:
    model = learned()
    assert told(model, "intent", {}) == model.explain_one(FEATURES, "intent", KEPT)


def test_a_past_that_says_more_is_named_among_the_first() -> None:
    model = learned()
    found = told(model, "intent", {"intent": Like(1_000.0, 1.0)})
    assert len(found) == KEPT
    assert [abs(one.weight) for one in found] == sorted((abs(one.weight) for one in found), reverse=True)
    (hers,) = (one for one in found if one.feature == PAST)
    assert hers.weight < 0.0
    assert hers.value == pytest.approx(0.001)


def test_its_weight_is_what_it_moves() -> None:
    model = OnlineModel()
    past = {"churn": Like(90.0, 90.0)}
    _, said = model.answer({}, past)
    (hers,) = told(model, "churn", past, {})
    # Nothing is learned: of the two that speak, the regression says 0.5.
    share = PRIOR[RENEWAL] / (PRIOR[RENEWAL] + PRIOR["newton"])
    assert hers.weight == pytest.approx(share * logit(said["churn"][RENEWAL]))
    assert hers.words == "as long after earlier orders, did not order for 30 days more 100% of the time"
    assert hers.words_zh == "以往下单后隔了这么久时，有100%的情况此后30天没有再下单"


def test_an_intent_is_said_in_its_own_words() -> None:
    # As often as not is what was said without it: it moves nothing.
    assert told(OnlineModel(), "intent", {"intent": Like(90.0, 45.0), "churn": Like(9.0, 9.0)}, {}) == []
    (hers,) = told(OnlineModel(), "intent", {"intent": Like(90.0, 72.0)}, {})
    assert hers.words == "as long after earlier orders, ordered again within 7 days 80% of the time"
    assert hers.words_zh == "以往下单后隔了这么久时，有80%的情况在7天内再次下单"
