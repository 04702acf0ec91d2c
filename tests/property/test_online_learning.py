"""Laws of what learns: predicting changes nothing, a restored copy agrees exactly, memory is bounded."""

import math
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from online.contest import NAMES as CANDIDATES
from online.encode import OWNERS
from online.encode import encode as encode_features
from online.ensemble import Ensemble
from online.learner import LEARNED, TARGETS
from online.learners.basis import INPUTS, aligned, vector
from online.learners.forest import NODES
from online.learners.renewal import Like, Past
from online.logistic import Logistic
from online.metrics import Rolling, roc_auc
from online.state import Learner
from online.words import say
from schemas.features import NAMES
from schemas.odds import logit, sigmoid
from schemas.outputs import Example, Features, ModelSnapshot, Parts, encode

# An example teaches all learners of its target, and a snapshot holds them all: fewer, longer trials.
few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
probability = st.floats(0, 1)
anything = st.one_of(st.none(), st.floats(0, 500), st.floats())
feature_sets = st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), anything, max_size=12)


@st.composite
def make_example(draw: st.DrawFn) -> Example:
    return Example(
        id="e", customer="c", at=0, matured=1, target=draw(st.sampled_from(LEARNED)), label=draw(st.booleans()),
        features=draw(feature_sets), story="", served=draw(probability), bert=draw(st.one_of(st.none(), probability)),
        online=draw(st.one_of(st.none(), probability)), amount=draw(st.one_of(st.none(), st.floats(-10, 1e300))),
        learners=draw(st.dictionaries(st.sampled_from(CANDIDATES), probability)),
    )  # fmt: skip


examples = st.lists(make_example(), max_size=15)
likes = st.builds(lambda days, share: Like(days, days * share), st.floats(0, 1e6), probability)
pasts = st.dictionaries(st.sampled_from(TARGETS), likes)


def learned(given_examples: list[Example]) -> Learner:
    learner = Learner()
    for example in given_examples:
        learner.learn_one(example)
    return learner


def through_json(snapshot: ModelSnapshot) -> ModelSnapshot:
    return msgspec.json.decode(encode(snapshot), type=ModelSnapshot)


@few
@given(examples, feature_sets, pasts)
def test_predicting_and_explaining_change_nothing(
    given_examples: list[Example], features: Features, past: Past
) -> None:
    learner = learned(given_examples)
    before = encode(learner.snapshot(3, 4))
    first = learner.model.predict_one(features, past)
    learner.model.explain_one(features, "churn")
    assert learner.model.predict_one(features, past) == first
    assert encode(learner.snapshot(3, 4)) == before


@few
@given(examples, examples, feature_sets, pasts)
def test_a_restored_copy_agrees_exactly_and_goes_on_alike(
    before: list[Example], after: list[Example], features: Features, past: Past
) -> None:
    learner = learned(before)
    copy = Learner.restore(through_json(learner.snapshot(7, 8)))
    for example in after:
        learner.learn_one(example)
        copy.learn_one(example)
    assert copy.model.predict_one(features) == learner.model.predict_one(features)
    assert copy.model.explain_one(features, "intent") == learner.model.explain_one(features, "intent")
    parts = Parts(churn=0.9, intent=0.2)
    assert copy.answer(features, parts, past) == learner.answer(features, parts, past)
    assert copy.answer(features, None, past) == learner.answer(features, None, past)
    assert copy.snapshot(9, 9) == learner.snapshot(9, 9)


@few
@given(examples, feature_sets)
def test_contributions_and_the_base_rate_add_up_to_the_prediction(
    given_examples: list[Example], features: Features
) -> None:
    model = learned(given_examples).model
    moved = math.fsum(c.weight for c in model.explain_one(features, "churn", k=len(NAMES)))
    said = model.answer(features)[1]["churn"]["newton"]
    assert sigmoid(moved + model.base_rate("churn")) == pytest.approx(said, abs=1e-9)


@few
@given(examples)
def test_memory_is_bounded_by_the_registry_whatever_is_sent(given_examples: list[Example]) -> None:
    for state in learned(given_examples).model.dump()["targets"].values():
        assert state["linear"]["weights"].keys() <= OWNERS.keys()
        assert state["linear"]["scales"].keys() <= OWNERS.keys()
        assert state["newton"]["weights"].keys() <= set(INPUTS)
        assert all(len(tree["child"]) <= NODES for tree in state["forest"]["trees"])


@few
@given(st.lists(st.tuples(feature_sets, st.booleans()), max_size=15), feature_sets)
def test_a_prediction_is_a_probability_whatever_was_learned(
    given_examples: list[tuple[Features, bool]], features: Features
) -> None:
    model = Logistic()
    assert model.predict(encode_features(features)) == 0.5
    for known, label in given_examples:
        model.learn(encode_features(known), label)
    assert 0.0 < model.predict(encode_features(features)) < 1.0


@few
@given(examples, probability, probability)
def test_the_ensemble_lies_between_its_sources(given_examples: list[Example], bert: float, online: float) -> None:
    ensemble = Ensemble()
    for example in given_examples:
        ensemble.learn_one(example)
    low, high = sorted((bert, online))
    # Certainty is bounded at log odds of 6; 15 examples move the calibration by less than 0.2.
    low, high = (sigmoid(max(-6.0, min(6.0, logit(p)))) for p in (low, high))
    assert logit(low) - 0.2 <= logit(ensemble.combine(bert, online)) <= logit(high) + 0.2
    assert 0.0 <= ensemble.combine(None, online) <= 1.0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[bool, int]]) -> None:
    up = [p for y, p in pairs if y]
    down = [p for y, p in pairs if not y]
    found = roc_auc([y for y, _ in pairs], [p / 9 for _, p in pairs])
    if not up or not down:
        assert found is None
    else:
        right = sum((a > b) + (a == b) / 2 for a in up for b in down)
        assert found == pytest.approx(right / (len(up) * len(down)))


@few
@given(examples)
def test_a_window_holds_its_size_and_the_newest(given_examples: list[Example]) -> None:
    small, fresh = Rolling(window=4), Rolling(window=4)
    for example in given_examples:
        small.learn_one(example)
    for example in given_examples[-4:]:
        fresh.learn_one(example)
    assert small.get() == fresh.get()
    assert small.seen == len(given_examples)


@given(feature_sets)
def test_the_learners_read_the_same_vector_either_way(features: Features) -> None:
    assert np.array_equal(aligned(encode_features(features)), vector(features), equal_nan=True)


@given(st.sampled_from(NAMES), anything)
def test_every_feature_can_be_said_with_any_value(name: str, value: float | None) -> None:
    assert say(name, value)


@st.composite
def damaged(draw: st.DrawFn, state: Any) -> Any:
    """A state with one thing in it replaced by another."""
    if isinstance(state, dict) and state and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(state)))
        return state | {key: draw(damaged(state[key]))}
    if isinstance(state, list) and state and draw(st.integers(0, 9)):
        place = draw(st.integers(0, len(state) - 1))
        return [*state[:place], draw(damaged(state[place])), *state[place + 1 :]]
    if isinstance(state, str) and state:
        return draw(st.one_of(st.just(state[:-4]), st.just("A" * len(state)), st.just("/" * len(state)), junk))
    if isinstance(state, (int, float)):
        return draw(st.one_of(st.just(-state), st.just(state * 1e12), st.just(state + 1), junk))
    return draw(junk)


junk = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=4), st.just([]), st.just({}), st.just([[1]]))


@few
@given(st.data())
def test_a_damaged_snapshot_is_refused_or_serves_probabilities(data: st.DataObject) -> None:
    snapshot = well_learned()
    broken = msgspec.structs.replace(snapshot, state=data.draw(damaged(snapshot.state)))
    try:
        learner = Learner.restore(broken)
    except ValueError:
        return
    features: Features = {"days_since_order": 3.0, "spend_90d": 1e9, "hour": None}
    for bert in (None, Parts(churn=0.2, intent=0.9)):
        answer = learner.answer(features, bert, {"intent": Like(9.0, 3.0)})
        assert all(0.0 <= p <= 1.0 for p in (answer.served.churn, answer.served.intent))
        assert answer.served.value is None or 0.0 <= answer.served.value < math.inf
    for target in TARGETS:
        assert all(math.isfinite(c.weight) for c in learner.model.explain_one(features, target))
    learner.learn_one(plain_example("churn", True, 9))
    assert 0.0 <= learner.answer(features, None).served.churn <= 1.0


def plain_example(target: str, label: bool, number: int) -> Example:
    features: Features = {"days_since_order": float(number % 17), "orders_30d": float(number % 5), "hour": 3.0}
    return Example(
        id=str(number), customer="c", at=0, matured=number, target=target, label=label, features=features, story="",
        served=0.4, bert=0.3, online=0.6, amount=float(number),
    )  # fmt: skip


@cache
def well_learned() -> ModelSnapshot:
    return through_json(learned([plain_example(LEARNED[n % 3], n % 7 > 3, n) for n in range(240)]).snapshot(240, 1))
