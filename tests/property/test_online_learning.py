"""Laws of what learns: predicting changes nothing, a restored copy agrees exactly, memory is bounded."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online.encode import OWNERS
from online.encode import encode as encode_features
from online.ensemble import Ensemble
from online.learner import TARGETS
from online.logistic import Logistic, sigmoid
from online.metrics import Rolling, roc_auc
from online.state import Learner
from online.words import say
from schemas.features import NAMES
from schemas.outputs import Example, Features, ModelSnapshot, Parts, encode

probability = st.floats(0, 1)
anything = st.one_of(st.none(), st.floats(0, 500), st.floats())
feature_sets = st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), anything, max_size=12)


@st.composite
def make_example(draw: st.DrawFn) -> Example:
    return Example(
        id="e", customer="c", at=0, matured=1, target=draw(st.sampled_from(TARGETS)), label=draw(st.booleans()),
        features=draw(feature_sets), story="", served=draw(probability), bert=draw(st.one_of(st.none(), probability)),
        online=draw(st.one_of(st.none(), probability)),
    )  # fmt: skip


examples = st.lists(make_example(), max_size=15)


def learned(given_examples: list[Example]) -> Learner:
    learner = Learner()
    for example in given_examples:
        learner.learn_one(example)
    return learner


def through_json(snapshot: ModelSnapshot) -> ModelSnapshot:
    return msgspec.json.decode(encode(snapshot), type=ModelSnapshot)


@given(examples, feature_sets)
def test_predicting_and_explaining_change_nothing(given_examples: list[Example], features: Features) -> None:
    learner = learned(given_examples)
    before = encode(learner.snapshot(3, 4))
    first = learner.model.predict_one(features)
    learner.model.explain_one(features, "churn")
    assert learner.model.predict_one(features) == first
    assert encode(learner.snapshot(3, 4)) == before


@given(examples, examples, feature_sets)
def test_a_restored_copy_agrees_exactly_and_goes_on_alike(
    before: list[Example], after: list[Example], features: Features
) -> None:
    learner = learned(before)
    copy = Learner.restore(through_json(learner.snapshot(7, 8)))
    for example in after:
        learner.learn_one(example)
        copy.learn_one(example)
    assert copy.model.predict_one(features) == learner.model.predict_one(features)
    assert copy.model.explain_one(features, "intent") == learner.model.explain_one(features, "intent")
    parts = Parts(churn=0.9, intent=0.2)
    assert copy.combine(parts, Parts(churn=0.1, intent=0.7)) == learner.combine(parts, Parts(churn=0.1, intent=0.7))
    assert copy.snapshot(9, 9) == learner.snapshot(9, 9)


@given(examples, feature_sets)
def test_contributions_and_the_base_rate_add_up_to_the_prediction(
    given_examples: list[Example], features: Features
) -> None:
    model = learned(given_examples).model
    moved = math.fsum(c.weight for c in model.explain_one(features, "churn", k=len(NAMES)))
    assert sigmoid(moved + model.base_rate("churn")) == pytest.approx(model.predict_one(features).churn, abs=1e-9)


@given(examples)
def test_memory_is_bounded_by_the_registry_whatever_is_sent(given_examples: list[Example]) -> None:
    for state in learned(given_examples).model.dump()["targets"].values():
        assert state["weights"].keys() <= OWNERS.keys()
        assert state["scales"].keys() <= OWNERS.keys()


@given(st.lists(st.tuples(feature_sets, st.booleans()), max_size=15), feature_sets)
def test_a_prediction_is_a_probability_whatever_was_learned(
    given_examples: list[tuple[Features, bool]], features: Features
) -> None:
    model = Logistic()
    assert model.predict(encode_features(features)) == 0.5
    for known, label in given_examples:
        model.learn(encode_features(known), label)
    assert 0.0 < model.predict(encode_features(features)) < 1.0


@given(examples, probability, probability)
def test_the_ensemble_lies_between_its_sources(given_examples: list[Example], bert: float, online: float) -> None:
    ensemble = Ensemble()
    for example in given_examples:
        ensemble.learn_one(example)
    low, high = sorted((bert, online))
    # Certainty is bounded at log odds of 6.
    assert min(low, sigmoid(6)) - 1e-9 <= ensemble.combine(bert, online) <= max(high, sigmoid(-6)) + 1e-9
    assert ensemble.combine(None, online) == online


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


@given(examples)
def test_a_window_holds_its_size_and_the_newest(given_examples: list[Example]) -> None:
    small, fresh = Rolling(window=4), Rolling(window=4)
    for example in given_examples:
        small.learn_one(example)
    for example in given_examples[-4:]:
        fresh.learn_one(example)
    assert small.get() == fresh.get()
    assert small.seen == len(given_examples)


@given(st.sampled_from(NAMES), anything)
def test_every_feature_can_be_said_with_any_value(name: str, value: float | None) -> None:
    assert say(name, value)
