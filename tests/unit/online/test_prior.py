"""A new shop begins with what another taught: ranks from the first day, and learns as fast as without."""

import random
from pathlib import Path

import msgspec
import pytest

from online.learner import TARGETS, OnlineModel
from online.learners.blend import SPEAKS
from online.learners.newton import Newton
from online.prior import INTERCEPT, distil, read
from online.state import Learner
from schemas.errors import OperatorError
from schemas.features import NAMES
from schemas.outputs import Example, Features, encode

REGULAR: Features = {
    "orders_30d": 4.0,
    "orders_90d": 12.0,
    "days_since_order": 2.0,
    "gap_mean_days": 7.0,
    "overdue": 0.3,
}
GONE: Features = {"orders_30d": 0.0, "orders_90d": 1.0, "days_since_order": 70.0, "gap_mean_days": 20.0, "overdue": 3.5}


def test_the_shipped_prior_ranks_before_anything_is_learned() -> None:
    model = OnlineModel(read())
    regular, gone = model.predict_one(REGULAR), model.predict_one(GONE)
    assert gone.churn > regular.churn + 0.2
    assert regular.intent > gone.intent + 0.2
    assert Learner(read()).version == "r0"
    # Reasons are there as well.
    assert any(one.weight > 0 for one in model.explain_one(GONE, "churn"))


def test_the_shipped_prior_knows_the_registry_and_no_shop_s_base_rate() -> None:
    prior = read()
    assert prior.targets.keys() == set(TARGETS)
    for taught in prior.targets.values():
        assert taught.weights[INTERCEPT] == 0.0
        assert {name.split("^")[0].split("?")[0].split(".")[0] for name in taught.weights} & set(NAMES)
        assert set(taught.weights) == set(Newton.begin(taught).dump()["weights"])


def test_a_written_model_that_began_with_a_prior_goes_on_alike() -> None:
    model = OnlineModel(read())
    copy = OnlineModel.load(msgspec.json.decode(msgspec.json.encode(model.dump())))
    assert copy.predict_one(GONE) == model.predict_one(GONE)


def test_a_shop_that_is_the_other_way_round_soon_says_so() -> None:
    rng = random.Random(3)
    model = OnlineModel(read())
    assert model.predict_one(GONE).churn > 0.5
    for number in range(4 * SPEAKS):
        stays = rng.random() < 0.5
        features = GONE if stays else REGULAR
        model.learn_one(
            Example(
                id=str(number), customer="c", at=0, matured=1, target="churn", label=not stays, features=features,
                story="", served=0.5, bert=None, online=0.5,
            )
        )  # fmt: skip
    assert model.predict_one(GONE).churn < 0.2
    assert model.predict_one(REGULAR).churn > 0.8


def test_what_a_model_learned_becomes_a_prior_and_a_name_that_is_gone_is_left_out(tmp_path: Path) -> None:
    model, rng = Newton(), random.Random(5)
    from online.learners.basis import vector

    for _ in range(300):
        keen = rng.random() < 0.5
        model.learn(vector({"orders_30d": 8.0 if keen else 1.0}), float(keen))
    path = tmp_path / "prior.json"
    path.write_bytes(encode(distil({"intent": model}, "a-shop")))
    found = read(path)
    assert (found.source, found.examples) == ("a-shop", 300)
    fresh = found.begin("intent")
    assert fresh.predict(vector({"orders_30d": 8.0})) > 0.5 > fresh.predict(vector({"orders_30d": 1.0}))
    # Nothing was taught of churn.
    assert found.begin("churn").predict(vector({"orders_30d": 8.0})) == 0.5
    found.targets["intent"].weights["a_feature_of_old"] = 3.0
    assert found.begin("intent").predict(vector({})) == fresh.predict(vector({}))


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"source":"x","examples":1,"targets":{"churn":{"weights":{"":1e9},"scales":{}}}}']
)
def test_a_file_that_is_no_prior_is_refused_with_what_to_do(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "prior.json"
    path.write_bytes(raw)
    with pytest.raises(OperatorError, match="footfall prior"):
        read(path)
