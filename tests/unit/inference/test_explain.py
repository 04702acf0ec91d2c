"""Explanations: what a story is taken apart into, and what each part's weight is."""

import math
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from inference.bins import Bins
from inference.explain import Reading, Unit, family, ordinary, weights
from inference.model import Model
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Moment, Snapshot

NOW = 100 * DAY_MS
SINCE, OVERDUE = "[days_since_order=2]", "[overdue=none]"


@pytest.fixture
def model(folder: Path) -> Model:
    return Model.load(folder)


def snapshot(moments: int, category: str = "milk") -> Snapshot:
    story = [
        Moment(NOW - (moments - n) * DAY_MS, Behaviour.ORDER, category=category, amount=12.0) for n in range(moments)
    ]
    return Snapshot(
        id="1", customer="ann", at=NOW, trigger="order", arrived=NOW, features={"days_since_order": 9.0}, story=story
    )


def test_the_whole_is_what_the_model_reads_and_each_text_lacks_one_unit(model: Model) -> None:
    reading = Reading(snapshot(2), model)
    assert reading.units == [Unit(("days_since_order",)), Unit(("overdue",)), Unit(moments=(0,)), Unit(moments=(1,))]
    told = "1d bought milk 12", "2d bought milk 12"
    assert reading.texts() == [
        f"{SINCE} {OVERDUE} {told[0]}, {told[1]}",
        f"[days_since_order=2] {OVERDUE} {told[0]}, {told[1]}".replace(
            SINCE, ordinary(model.manifest.bins, "days_since_order")
        ),
        f"{SINCE} [overdue=1] {told[0]}, {told[1]}",
        f"{SINCE} {OVERDUE} {told[1]}",
        f"{SINCE} {OVERDUE} {told[0]}",
    ]
    assert reading.text() == model.text(snapshot(2))


@pytest.mark.parametrize("moments", [0, 1, 5, 32])
@pytest.mark.parametrize("texts", [8, 24])
def test_no_more_texts_than_asked_for_and_no_unit_that_is_not_read(model: Model, moments: int, texts: int) -> None:
    reading = Reading(snapshot(moments), model, texts)
    assert len(reading.texts()) == 1 + len(reading.units) <= texts
    # 24 tokens: two that open and close, two numbers, and six a clause.
    told = [number for unit in reading.units for number in unit.moments]
    assert told == list(range(min(moments, 4)))


@pytest.mark.parametrize(
    "words",
    ["", "x" * 100_000, "\x00\x1b", "\N{PILE OF POO}" * 50, "\u202e\u05d2\u05e8\u05d5\u05e2", "太差了 bad, 1d bought"],
)
def test_any_words_can_be_explained(model: Model, words: str) -> None:
    odd = Moment(NOW, Behaviour.REVIEW, item="p", words=words)
    given = snapshot(1)
    given.story.append(odd)
    reading = Reading(given, model)
    assert reading.text() == model.text(given)
    assert len(reading.texts()) <= 24
    assert all(len(ids) <= 24 for ids in model.encode(reading.texts()))


def test_anothers_numbers_stand_where_a_units_were(model: Model) -> None:
    reading = Reading(snapshot(1), model)
    given = snapshot(1)
    given.features.update(days_since_order=0.5, overdue=0.7)
    other = Reading(given, model)
    numbers = Unit(("days_since_order",))
    assert other.text().split()[0] != SINCE
    assert reading.text((numbers,), of=other) == f"{other.text().split()[0]} {OVERDUE} 1d bought milk 12"
    assert reading.text((numbers,), blank=True) == f"{OVERDUE} 1d bought milk 12"
    assert reading.text((), of=other) == reading.text()


def test_the_feature_furthest_from_the_ordinary_speaks_for_its_family(model: Model) -> None:
    given = snapshot(0)
    given.features["days_since_order"] = 0.5
    given.features["overdue"] = 0.7
    reading = Reading(given, model)
    assert reading.most_telling(Unit(("overdue", "days_since_order"))) == "days_since_order"


def test_families_hold_all_windows_and_views_of_one_thing() -> None:
    names = (
        "orders_7d",
        "orders_90d",
        "order_value_mean",
        "order_value_last",
        "session_depth",
        "trend_spend_4w",
        "hour",
    )
    assert [family(name) for name in names] == [
        "orders", "orders", "order_value", "order_value", "session", "trend_spend", "hour",
    ]  # fmt: skip


@dataclass
class Linear:
    """A network whose log odds are a sum over what it finds in the text."""

    parts: dict[str, float]

    def __call__(self, text: str) -> float:
        logit = sum(weight for part, weight in self.parts.items() if part in text)
        return 1 / (1 + math.exp(-logit))


def test_of_a_linear_model_each_part_has_its_own_weight(model: Model) -> None:
    network = Linear({SINCE: 0.75, "1d bought": -0.5, "2d bought": 0.25})
    reading = Reading(snapshot(2), model)
    found = weights([network(text) for text in reading.texts()])
    by_unit = dict(zip(reading.units, found, strict=True))
    assert by_unit == {
        Unit(("days_since_order",)): pytest.approx(
            0.75 if ordinary(model.manifest.bins, "days_since_order") != SINCE else 0.0
        ),
        Unit(("overdue",)): pytest.approx(0.0),
        Unit(moments=(0,)): pytest.approx(-0.5),
        Unit(moments=(1,)): pytest.approx(0.25),
    }


def test_the_storys_numbers_are_of_the_family_of_gaps(model: Model) -> None:
    """Orders of 1, 2 and 3 days ago: without one of them the gaps are told as before, as all other numbers are."""
    bins = Bins({"overdue": [0.5, 1.0], "story.gap_1": [2.0, 9.0], "gap_mean_days": [2.0], "story.ago_2": [5.0]})
    telling = Model(replace(model.manifest, bins=bins), model.tokenizer)
    reading = Reading(snapshot(3), telling)
    gaps = Unit(("story.gap_1", "gap_mean_days", "story.ago_2"))
    assert [unit for unit in reading.units if unit.names] == [Unit(("overdue",)), gaps]
    assert reading.text() == telling.text(snapshot(3))
    assert "[story.gap_1=0] [gap_mean_days=none] [story.ago_2=0]" in reading.text((Unit(moments=(0,)),))
    assert "[story.gap_1=1] [gap_mean_days=1] [story.ago_2=1]" in reading.text((gaps,))
    assert reading.most_telling(gaps) == reading.most_telling(Unit(("story.gap_1",))) == "gap_mean_days"


def test_certainty_beyond_measure_has_a_finite_weight() -> None:
    assert weights([1.0, 0.0]) == [12.0]
