"""`--online` lives a log of the past through again: nothing is known before its horizon is over."""

from typing import Any, Final

import numpy as np
import polars as pl
import pytest

from deploy.evaluate.delayed import Found, run
from deploy.evaluate.online import judge, learners
from deploy.evaluate.past import Past, load
from online.state import Learner
from schemas.features import DAY_MS, NAMES
from schemas.outputs import Snapshot, encode

DAYS: Final = tuple(range(0, 100, 10))
HORIZONS: Final = {"churn": 30 * DAY_MS, "intent": 7 * DAY_MS}
EACH: Final = 30


def past(*, turned: int | None = None) -> Past:
    """Customers of two kinds at cut-offs 10 days apart; the labels of cut-off `turned` are the other way round."""
    at = np.repeat(np.array(DAYS, np.int64) * DAY_MS, EACH)
    keen = np.arange(len(at)) % 2 == 1
    features = np.full((len(at), len(NAMES)), np.nan)
    features[:, NAMES.index("orders_30d")] = np.where(keen, 8.0, 1.0)
    features[:, NAMES.index("days_since_order")] = np.where(keen, 2.0, 40.0)
    intent = keen ^ (at == (-1 if turned is None else turned * DAY_MS))
    told = [Snapshot(id="s", customer="c", at=int(day), trigger="", arrived=0, features={}, story=[]) for day in at]
    return Past(at, features, {"intent": intent, "churn": ~intent}, pl.DataFrame({"snapshot": [*map(encode, told)]}))


def lived(given: Past, bert: Any = None) -> Found:
    answers = np.full((len(given.at), 2), np.nan) if bert is None else bert
    return run(given, Learner(), answers, HORIZONS, lambda _: None)


def test_a_label_is_learned_when_its_own_horizon_is_over_and_not_before() -> None:
    one, other = lived(past()), lived(past(turned=50))
    at = past().at // DAY_MS
    for target, days in (("intent", 7), ("churn", 30)):
        a, b = one.columns[target]["online"], other.columns[target]["online"]
        unknown = at < 50 + days
        assert (a[unknown] == b[unknown]).all(), target
        assert (a[~unknown] != b[~unknown]).any(), target


def test_what_a_constant_says_is_the_share_of_what_had_matured() -> None:
    found = lived(past(turned=50))
    at = past().at // DAY_MS
    assert np.isnan(found.rates["churn"][at == 20]).all()
    assert found.rates["churn"][at == 30] == pytest.approx(0.5)
    assert found.learned == sum(EACH * (day <= 90 - days) for day in DAYS for days in (7, 30))


def test_bert_is_mixed_in_where_it_was_asked() -> None:
    given = past()
    bert = np.full((len(given.at), 2), np.nan)
    asked = given.at >= 50 * DAY_MS
    bert[asked] = (0.2, 0.9)
    columns = lived(given, bert).columns["intent"]
    assert np.isnan(columns["bert"][~asked]).all()
    assert (columns["bert"][asked] == 0.9).all()
    alone = lived(given).columns["intent"]["served"]
    assert (columns["served"][asked] > alone[asked]).mean() > 0.5
    # Too few examples to weigh by: who never spoke changes nothing before he does.
    assert (columns["served"][~asked] == alone[~asked]).all()


def test_a_learner_is_judged_by_what_it_said() -> None:
    given = past()
    found, everything = lived(given), np.ones(len(given.at), bool)
    # Nobody here has a past: it has never said anything.
    assert learners(given, found, "intent", everything)["renewal"] is None
    spoke = np.arange(len(given.at)) % 3 == 0
    found.columns["intent"]["renewal"] = np.where(spoke, given.labels["intent"], np.nan)
    judged = learners(given, found, "intent", everything)
    assert judged["renewal"] == 1.0
    assert judged["newton"] == judge("auc", given, found, "intent", "newton", everything)


def test_a_row_is_read_back_as_the_pipeline_has_it(tmp_path: Any) -> None:
    features: dict[str, float | None] = dict.fromkeys(NAMES) | {"orders_30d": 3.0}
    snapshot = Snapshot(id="s", customer="c", at=5, trigger="", arrived=0, features=features, story=[])
    rows = {"id": ["s", "t"], "at": [5, 4], "churn": [True, None], "intent": [False, True]}
    table = pl.DataFrame(rows | {"snapshot": [encode(snapshot)] * 2})
    table.write_parquet(tmp_path / "past.parquet")
    found = load(tmp_path / "past.parquet")
    # What is not labelled both ways is left out.
    assert found.at.tolist() == [5]
    assert found.row(0) == features
    assert [one.id for one in found.snapshots(np.array([0]))] == ["s"]
