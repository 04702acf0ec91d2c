"""Versions of BERT on the real Triton under load: published, promoted, rolled back, refused; no request is lost."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from deploy.cli import app
from deploy.models.versions import Versions
from inference import manifest as manifests
from inference import registry
from inference.model import MODEL_FILE, SHIPPED
from schemas.errors import OperatorError
from schemas.outputs import Snapshot
from stream.settings import Settings
from stream.stages.asking import Bert

pytestmark = pytest.mark.integration

NOW = 1_700_000_000_000
# What is measured is that no answer is missing, on a machine that may be busy.
PATIENT_S = 120.0


def trained(folder: Path, version: str, network: bytes | None = None) -> Path:
    """The shipped model under another version, or one of another network."""
    shutil.copytree(SHIPPED, folder)
    if network is not None:
        (folder / MODEL_FILE).write_bytes(network)
    manifest = manifests.read(folder)
    files = {name: manifests.checksum(folder / name) for name in manifest.files}
    msgspec.structs.replace(manifest, version=version, files=files).write(folder)
    return folder


@pytest.fixture
def settings(triton: Settings) -> Iterator[Settings]:
    """The session's Triton, which serves the base alone again afterwards."""
    patient = Settings.model_validate(
        {
            **triton.model_dump(include=triton.model_fields_set),
            "triton_deadline_s": PATIENT_S,
            "kafka_brokers": "127.0.0.1:1",
        }
    )
    yield patient
    repository = patient.repository.resolve()
    for path in repository.glob("bert-*"):
        Versions(patient).server.unload(path.name)
        shutil.rmtree(path)
    (repository / registry.FILE).unlink(missing_ok=True)


class Load:
    """Four partitions that ask without a pause, and what they were answered."""

    def __init__(self, bert: Bert) -> None:
        self.asked = 0
        self.versions: Counter[str] = Counter()
        self.fallbacks: Counter[str] = Counter()
        self.newest = ""
        self._bert = bert
        self._halt = asyncio.Event()

    async def partition(self) -> None:
        while not self._halt.is_set():
            snapshots = [_snapshot(self.asked + number) for number in range(3)]
            self.asked += len(snapshots)
            for answer in await self._bert.ask(snapshots):
                if answer.parts is None:
                    self.fallbacks[answer.fallback] += 1
                    continue
                assert 0 <= answer.parts.churn <= 1
                self.versions[answer.version] += 1
                self.newest = answer.version

    async def until(self, good: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENT_S):
            while not good():
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        self._halt.set()


def listed(settings: Settings) -> list[dict[str, Any]]:
    """What `footfall model list` says of each version."""
    done = CliRunner().invoke(app, ["model", "list", "--json"], env=settings.environment())
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)["versions"]
    return found


def _snapshot(number: int) -> Snapshot:
    return Snapshot(id=f"s{number}", customer=f"c{number}", at=NOW, trigger="order", arrived=NOW, features={}, story=[])


@pytest_asyncio.fixture
async def load(settings: Settings) -> AsyncIterator[Load]:
    bert = Bert(settings)
    await bert.open()
    load = Load(bert)
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(bert.watch())
        partitions = [group.create_task(load.partition()) for _ in range(4)]
        yield load
        load.stop()
        await asyncio.wait(partitions)
        watch.cancel()
    await bert.close()


async def test_a_swap_under_load_loses_no_request(settings: Settings, load: Load, tmp_path: Path) -> None:
    versions = Versions(settings)
    old, new = SHIPPED.name, "second"
    await load.until(lambda: load.newest == old)
    entry = await asyncio.to_thread(versions.publish, trained(tmp_path / "second", new), 1.0)
    assert versions.read().shadow == entry.name == "bert-2"
    with pytest.raises(OperatorError, match="does not tell the labels"):
        await asyncio.to_thread(versions.promote, entry.name, 1.0, force=False)
    await asyncio.to_thread(versions.promote, entry.name, 1.0, force=True)
    await load.until(lambda: load.newest == new)
    with pytest.raises(OperatorError, match="refuses"):
        await asyncio.to_thread(versions.publish, trained(tmp_path / "third", "third", b"no network"), 1.0)
    assert versions.read().serving == entry.name
    asked = load.versions[new]
    await load.until(lambda: load.versions[new] > asked)
    await asyncio.to_thread(versions.roll_back)
    await load.until(lambda: load.newest == old)
    assert await asyncio.to_thread(versions.check) == {"bert": "good", "bert-2": "good"}
    (base, second) = await asyncio.to_thread(listed, settings)
    assert (base["name"], base["version"], base["role"]) == ("bert", old, "serving")
    assert (second["name"], second["version"], second["role"]) == ("bert-2", new, "previous")
    assert base["triton"]["texts"] > 0
    load.stop()
    await load.until(lambda: load.versions.total() + load.fallbacks.total() == load.asked)
    assert not load.fallbacks
    assert load.versions.keys() == {old, new}
    assert [change.what for change in versions.read().history] == ["published", "promoted", "rolled back"]


def test_a_folder_that_is_not_what_it_says_is_refused_before_anything_is_touched(
    settings: Settings, tmp_path: Path
) -> None:
    changed = trained(tmp_path / "changed", "changed")
    (changed / MODEL_FILE).write_bytes(b"another network")
    with pytest.raises(OperatorError, match="not the file of its manifest"):
        Versions(settings).publish(changed, 1.0)
    with pytest.raises(OperatorError, match="published already"):
        Versions(settings).publish(SHIPPED, 1.0)
    assert Versions(settings).read() == registry.Registry()
    assert [path.name for path in settings.repository.iterdir() if path.is_dir()] == ["bert"]
