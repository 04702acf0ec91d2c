"""A whole training run on customers made up here: it learns, goes on when interrupted, and is exported."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from inference import manifest as manifests
from inference.manifest import Manifest
from inference.model import Model
from inference.train.export import run as onnx_answers
from inference.train.finish import Provenance
from inference.train.loop import Tell
from inference.train.onto import onto
from inference.train.options import Options
from inference.train.run import train
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.features import DAY_MS
from schemas.outputs import Moment, Snapshot
from stream.dataset import Labelled, table, write

OPTIONS = Options(
    examples=240,
    validation=60,
    batch=8,
    checks=2,
    layers=2,
    frozen_layers=1,
    features=4,
    story_tokens=12,
    pretrain=24,
    numbers_epochs=10,
    numbers_batch=32,
    threads=1,
)
WHENCE = Provenance("test-bert", "made up", "footfall train", "2024-01-01T00:00:00+00:00")
HORIZONS = {"churn": 30, "intent": 7, "value": 20}


def labelled(number: int, day: int, chance: random.Random) -> Labelled:
    """A customer whose recency decides: who ordered long ago has left, who ordered just now comes again."""
    since = chance.choice([1.0, 2.0, 5.0, 40.0, 60.0, 90.0])
    at = (200 + day) * DAY_MS
    snapshot = Snapshot(
        id=f"{day}-{number}",
        customer=str(number),
        at=at,
        trigger="cutoff",
        arrived=at,
        features={"days_since_order": since, "orders_90d": float(chance.randrange(9)), "overdue": since / 10},
        story=[Moment(at - round(since * DAY_MS), Behaviour.ORDER, category="milk", amount=12.0, pieces=2)],
    )
    gone = since >= 40
    churn, intent = gone != (chance.random() < 0.1), gone == (chance.random() < 0.1)
    return Labelled(snapshot, churn, intent, value=0.0 if gone else chance.uniform(10, 30))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Stories, and reviews of two kinds."""
    chance = random.Random(1)
    folder = tmp_path_factory.mktemp("data")
    stories = table(labelled(number, day, chance) for day in range(0, 301, 10) for number in range(20))
    write(stories, folder / "examples.parquet")
    words = [f"{'很好' if n % 2 else 'broken'} {n}" for n in range(120)]
    reviews = stories.head(120).with_columns(
        pl.Series("text", words),
        pl.Series("sentiment", [n % 2 == 1 for n in range(120)]),
        *(pl.lit(None, stories.schema[name]).alias(name) for name in ("snapshot", "churn", "intent", "value")),
    )
    write(reviews, folder / "reviews.parquet")
    return [folder / "examples.parquet", folder / "reviews.parquet"]


class Killed(Exception):
    """Stands for a power cut."""


def run(data: list[Path], out: Path, tell: Tell) -> Manifest:
    return train(data, out, None, HORIZONS, WHENCE, OPTIONS, tell)


@pytest.fixture(scope="module")
def trained(data: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest, list[int]]:
    """A run that is killed after its first check, and given again."""
    out = tmp_path_factory.mktemp("models") / "test-bert"
    steps: list[int] = []

    def kill(_stage: str, _done: int, _steps: int, words: str) -> None:
        if words:
            raise Killed

    with pytest.raises(Killed):
        run(data, out, kill)
    manifest = run(data, out, lambda stage, done, *_: steps.append(done) if stage == "text" else None)
    return out, manifest, steps


def test_a_killed_run_goes_on_where_it_was(trained: tuple[Path, Manifest, list[int]]) -> None:
    _, manifest, steps = trained
    assert steps[0] > 1
    assert steps[-1] == manifest.data["steps"]


def test_a_killed_run_comes_to_the_same_result(
    data: list[Path], trained: tuple[Path, Manifest, list[int]], tmp_path: Path
) -> None:
    undisturbed = run(data, tmp_path / "test-bert", lambda *_: None)
    assert undisturbed.files == trained[1].files
    assert undisturbed.metrics == trained[1].metrics


def test_the_served_file_has_learned(trained: tuple[Path, Manifest, list[int]]) -> None:
    _, manifest, _ = trained
    assert manifest.metrics["churn"]["roc_auc"] > 0.8
    assert manifest.metrics["intent"]["roc_auc"] > 0.8
    assert manifest.metrics["churn"]["calibration_error"] < 0.2
    assert manifest.metrics["value"]["roc_auc"] > 0.8
    assert abs(manifest.metrics["value"]["mean_expected"] / manifest.metrics["value"]["mean_spent"] - 1) < 0.5
    assert 0 <= manifest.metrics["export"]["mean_difference"] < 0.02


def test_the_folder_is_complete_and_loads(trained: tuple[Path, Manifest, list[int]]) -> None:
    out, manifest, _ = trained
    assert {path.name for path in out.iterdir()} == {"model.onnx", "tokenizer.json", "manifest.json", "README.md"}
    assert (out / "model.onnx").stat().st_size < 26_000_000
    manifests.verify(out, manifest)
    model = Model.load(out)
    assert model.manifest == manifest
    assert manifest.heads == ("churn", "intent", "value", "sentiment")
    assert set(manifest.registry) == set(manifest.features) >= {"days_since_order"}
    assert "probability of no purchase within 30 days" in (out / "README.md").read_text()


def test_a_text_is_answered_alike_alone_and_in_any_company(trained: tuple[Path, Manifest, list[int]]) -> None:
    """A story, numbers alone, a review, a text of nothing: the exported graph drops columns, and must mind whose."""
    model = Model.load(trained[0])
    numbers = " ".join(model.manifest.bins.token(name, 1.0) for name in model.manifest.bins.edges)
    ids = model.encode([f"{numbers} 3d bought milk 12, 9d bought milk 4", numbers, "很好 broken", ""])
    together = onnx_answers(trained[0] / "model.onnx", ids)
    alone = np.concatenate([onnx_answers(trained[0] / "model.onnx", [text]) for text in ids])
    assert np.isfinite(together).all()
    assert np.abs(together - alone).max() < 0.05


def test_nothing_that_never_varied_is_read(trained: tuple[Path, Manifest, list[int]]) -> None:
    assert set(trained[1].features) <= {"days_since_order", "orders_90d", "overdue"}


@pytest.fixture(scope="module")
def more(data: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The stories, and more reviews than before, of which only the order of two characters tells."""
    folder = tmp_path_factory.mktemp("more")
    chance = random.Random(2)
    reviews = pl.read_parquet(data[1])
    content = [chance.random() < 0.5 for _ in range(1_000)]
    texts = [f"{'很好' if good else '好很'} {n}" for n, good in enumerate(content)]
    write(
        pl.concat([reviews] * 9).head(1_000).with_columns(pl.Series("text", texts), pl.Series("sentiment", content)),
        folder / "reviews.parquet",
    )
    return [data[0], folder / "reviews.parquet"]


def test_a_served_model_learns_to_read_reviews_and_says_of_customers_what_it_said(
    more: list[Path], trained: tuple[Path, Manifest, list[int]], tmp_path: Path
) -> None:
    served, before, _ = trained
    whence = WHENCE._replace(name="next-bert")
    after = onto(served, more, tmp_path / "next-bert", None, whence, OPTIONS)
    assert after.metrics["sentiment"]["roc_auc"] > 0.99
    assert after.metrics["sentiment"]["calibration_error"] < 0.1
    assert (after.version, after.data["onto"]) == ("next-bert", "test-bert")
    assert (after.bins, after.heads, after.max_tokens) == (before.bins, before.heads, before.max_tokens)
    for head in ("churn", "intent", "value"):
        assert after.metrics[head]["roc_auc"] == pytest.approx(before.metrics[head]["roc_auc"], abs=0.01)
    manifests.verify(tmp_path / "next-bert", after)
    # What was made can be gone on from in its turn, to the same.
    again = onto(tmp_path / "next-bert", more, tmp_path / "third", None, whence, OPTIONS)
    assert again.metrics["sentiment"] == after.metrics["sentiment"]


def test_who_goes_on_brings_stories_to_be_measured_on(
    more: list[Path], trained: tuple[Path, Manifest, list[int]], tmp_path: Path
) -> None:
    with pytest.raises(OperatorError, match="give examples of each"):
        onto(trained[0], more[1:], tmp_path / "next-bert", None, WHENCE, OPTIONS)


@pytest.mark.parametrize("method", ["lora", "adalora", "prefix"])
def test_methods_that_train_less_of_the_encoder(data: list[Path], tmp_path: Path, method: str) -> None:
    less = replace(OPTIONS, method=method, pretrain=0, examples=64, reviews=16, fgm=0.1, accumulate=2)
    manifest = train(data, tmp_path / "less", None, HORIZONS, WHENCE, less, lambda *_: None)
    assert manifest.metrics["churn"]["roc_auc"] > 0.8
