"""Model folders: what is refused, and that the message says what to do."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from inference import manifest as manifests
from inference.bins import Bins
from inference.model import Model
from schemas.behaviours import Behaviour
from schemas.errors import OperatorError
from schemas.outputs import Moment, Snapshot


def test_a_folder_loads_and_reads_snapshots(folder: Path) -> None:
    model = Model.load(folder)
    snapshot = Snapshot(
        id="1",
        customer="ann",
        at=3 * 86_400_000,
        trigger="order",
        arrived=0,
        features={"days_since_order": 3.0, "hour": 1.0},
        story=[Moment(0, Behaviour.ORDER, category="Milk", amount=12.0)],
    )
    text = model.text(snapshot)
    assert text == "[days_since_order=1] [overdue=none] 3d bought milk 12"
    assert model.version == "tiny-bert"
    assert len(model.encode([text])[0]) == 2 + 2 + 5


def test_a_feature_outside_the_registry_is_named(folder: Path) -> None:
    manifest = manifests.read(folder)
    replace(manifest, bins=Bins({"overdue": [1.0], "shoe_size": [40.0]})).write(folder)
    with pytest.raises(OperatorError, match=r"`shoe_size`.*footfall train"):
        Model.load(folder)


def test_a_feature_with_another_meaning_than_when_trained_is_named(folder: Path) -> None:
    manifest = manifests.read(folder)
    registry = {name: manifests.fingerprint(name) for name in manifest.features}
    replace(manifest, registry=registry).write(folder)
    assert manifests.read(folder).registry == registry
    replace(manifest, registry=registry | {"overdue": "00000000"}).write(folder)
    with pytest.raises(OperatorError, match="`overdue` had another unit, window or meaning"):
        manifests.read(folder)


def test_heads_in_an_order_that_nobody_expects(folder: Path) -> None:
    manifest = manifests.read(folder)
    replace(manifest, heads=("churn", "intent", "value")).write(folder)
    assert manifests.read(folder).heads == ("churn", "intent", "value")
    for heads in (
        ("intent", "churn"),
        ("churn", "intent", "sentiment", "value"),
        ("churn",),
        ("churn", "intent", "age"),
    ):
        replace(manifest, heads=heads).write(folder)
        with pytest.raises(OperatorError, match="train it again"):
            manifests.read(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="FOOTFALL_MODEL_DIR"):
        Model.load(tmp_path / "nothing")


def test_a_broken_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"version": 1}')
    with pytest.raises(OperatorError, match="is no manifest"):
        Model.load(folder)


def test_another_tokenizer_than_the_one_trained(folder: Path) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace("milk", "silk"))
    with pytest.raises(OperatorError, match=r"tokenizer\.json is not the file of its manifest"):
        Model.load(folder)


def test_verify_sees_changed_and_missing_weights(folder: Path) -> None:
    manifest = manifests.read(folder)
    manifests.verify(folder, manifest)
    (folder / "model.onnx").write_bytes(b"others")
    with pytest.raises(OperatorError, match=r"model\.onnx is not"):
        manifests.verify(folder, manifest)
    (folder / "model.onnx").unlink()
    with pytest.raises(OperatorError, match=r"model\.onnx is missing"):
        manifests.verify(folder, manifest)
