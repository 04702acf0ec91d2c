"""A whole training run on customers made up here: it learns, goes on when interrupted, and is exported."""

import random
from pathlib import Path

import pytest

from inference import manifest as manifests
from inference.manifest import Manifest
from inference.model import Model
from inference.train.fit import Options
from inference.train.run import Provenance, train
from schemas.behaviours import Behaviour
from schemas.features import DAY_MS
from schemas.outputs import Moment, Snapshot
from stream.dataset import Labelled, write

OPTIONS = Options(
    examples=240, validation=60, test=100, batch=8, checks=2, frozen_layers=5, features=4, max_tokens=40, threads=1
)
WHENCE = Provenance("test-bert", "made up", "footfall train", "2024-01-01T00:00:00+00:00")


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
    return Labelled(snapshot, churn=gone != (chance.random() < 0.1), intent=gone == (chance.random() < 0.1))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = random.Random(1)
    path = tmp_path_factory.mktemp("data") / "examples.parquet"
    write([labelled(number, day, chance) for day in range(0, 301, 10) for number in range(20)], path)
    return path


class Interrupted(Exception):
    """Stands for a power cut."""


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest, list[int]]:
    """A run that is interrupted after its first check, and given again."""
    out = tmp_path_factory.mktemp("models") / "test-bert"
    steps: list[int] = []

    def interrupt(_done: int, _steps: int, words: str) -> None:
        if words:
            raise Interrupted

    with pytest.raises(Interrupted):
        train(data, out, None, {"churn": 30, "intent": 7}, WHENCE, OPTIONS, interrupt)
    manifest = train(data, out, None, {"churn": 30, "intent": 7}, WHENCE, OPTIONS, lambda done, *_: steps.append(done))
    return out, manifest, steps


def test_an_interrupted_run_goes_on_where_it_was(trained: tuple[Path, Manifest, list[int]]) -> None:
    _, manifest, steps = trained
    assert steps == list(range(16, 31))
    assert manifest.data["steps"] == 30


def test_the_served_file_has_learned(trained: tuple[Path, Manifest, list[int]]) -> None:
    _, manifest, _ = trained
    assert manifest.metrics["churn"]["roc_auc"] > 0.8
    assert manifest.metrics["intent"]["roc_auc"] > 0.8
    assert manifest.metrics["churn"]["calibration_error"] < 0.2
    assert 0 <= manifest.metrics["export"]["parity_mean_difference"] < 0.02


def test_the_folder_is_complete_and_loads(trained: tuple[Path, Manifest, list[int]]) -> None:
    out, manifest, _ = trained
    assert {path.name for path in out.iterdir()} == {"model.onnx", "tokenizer.json", "manifest.json"}
    assert (out / "model.onnx").stat().st_size < 26_000_000
    manifests.verify(out, manifest)
    model = Model.load(out)
    assert model.manifest == manifest
    assert "days_since_order" in manifest.features


def test_nothing_that_never_varied_is_read(trained: tuple[Path, Manifest, list[int]]) -> None:
    assert set(trained[1].features) <= {"days_since_order", "orders_90d", "overdue"}
