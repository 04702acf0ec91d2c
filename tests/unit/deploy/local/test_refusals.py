"""What the operator can mend is told in one line, before anything is started."""

import shutil
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local import catalogue, ports, repository, triton, triton_install
from deploy.local.ports import LOOPBACK, Port, check_disk, free_port
from deploy.local.repository import assemble
from deploy.local.triton_install import Installation
from inference import registry
from inference.registry import Entry, Registry
from schemas.errors import OperatorError
from stream.settings import Settings


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, **settings: object) -> tuple[int, str]:
    """The command line's exit code and what it says on stderr."""
    for name, value in settings.items():
        monkeypatch.setenv(f"FOOTFALL_{name.upper()}", str(value))
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stderr


def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        code, told = run(monkeypatch, "up", "--only", "kafka", data_dir=tmp_path, kafka_port=port)
    assert code == 1
    assert told.startswith(f"footfall: port {port} on {LOOPBACK} is taken")
    assert "set FOOTFALL_KAFKA_PORT to another port" in told
    assert told.count("\n") == 1


def test_brokers_that_do_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = f"{LOOPBACK}:{free_port()}"
    code, told = run(monkeypatch, "up", "--only", "kafka", data_dir=tmp_path, kafka_brokers=address)
    assert code == 1
    assert told.startswith(f"footfall: no Kafka broker answers at {address}: start it, or unset FOOTFALL_KAFKA_BROKERS")


def test_a_triton_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    address = f"{LOOPBACK}:{free_port()}"
    code, told = run(monkeypatch, "up", "--only", "triton", data_dir=tmp_path, triton_url=address)
    assert code == 1
    assert told.startswith(f"footfall: no Triton answers at {address}")


def test_a_part_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, told = run(monkeypatch, "up", "--only", "kafka,zookeeper", data_dir=tmp_path)
    assert code == 1
    assert told.startswith("footfall: there is no part `zookeeper`: choose from kafka, triton, topics, profile")


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=500 << 20))
    with pytest.raises(OperatorError, match="only 500 MiB are free"):
        check_disk(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OperatorError, match="set FOOTFALL_DATA_DIR"):
        check_disk(tmp_path / "file" / "data")


def test_no_port_is_given_twice_nor_one_that_is_wanted_for_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_port(3)
    monkeypatch.setattr(ports, "FREE_PORTS", range(first, first + 3))
    monkeypatch.setattr(ports, "_given", set())
    assert {free_port(besides=(first,)), free_port(besides=(first,))} == {first + 1, first + 2}
    with pytest.raises(OperatorError, match="no free port"):
        free_port(besides=(first,))
    assert free_port() == first


def test_a_free_port_can_be_bound_and_then_is_taken() -> None:
    port = Port(free_port(), "kafka_port")
    port.check()
    with socket.create_server((LOOPBACK, port.number)), pytest.raises(OperatorError, match="FOOTFALL_KAFKA_PORT"):
        port.check()


def test_a_python_that_triton_has_no_stub_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", SimpleNamespace(major=3, minor=14))
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(OperatorError, match=r"no stub for Python 3\.14 .* set FOOTFALL_TRITON_URL"):
        triton_install.find_python()


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="set FOOTFALL_MODEL_DIR"):
        assemble(catalogue.TEMPLATE, tmp_path / "none", tmp_path / "models", "bert")


def test_a_repository_is_laid_out_as_triton_reads_it(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.onnx").write_bytes(b"weights")
    for _ in range(2):
        assemble(catalogue.TEMPLATE, model, tmp_path / "models", "bert")
    found = {str(path.relative_to(tmp_path / "models")) for path in (tmp_path / "models").rglob("*")}
    inside = {"bert/1/model.py", "bert/1/precision.py", "bert/1/model.onnx"}
    assert found == {"bert", "bert/config.pbtxt", "bert/1", *inside}


def test_one_folder_serves_from_a_cpu_and_from_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = (catalogue.TEMPLATE / "config.pbtxt").read_text()
    monkeypatch.setattr(repository, "GPUS", (tmp_path / "none",))
    assert [repository.on_gpu(device) for device in ("auto", "cpu", "cuda")] == [False, False, True]
    monkeypatch.setattr(repository, "GPUS", (tmp_path / "none", tmp_path))
    monkeypatch.setattr(repository, "DRIVER", tmp_path / "none")
    assert [repository.on_gpu(device) for device in ("auto", "cpu", "cuda")] == [True, False, True]
    on_gpu = repository.configure(template, "bert-2", on_gpu=True)
    assert 'name: "bert-2"' in on_gpu
    assert "KIND_GPU" in on_gpu
    assert "KIND_CPU" not in on_gpu
    assert "preferred_batch_size" in template
    assert "preferred_batch_size" not in on_gpu
    assert repository.configure(template, "bert", on_gpu=False) == template


@pytest.mark.parametrize(("device", "kind"), [("cpu", "KIND_CPU"), ("auto", "KIND_CPU"), ("cuda", "KIND_GPU")])
def test_the_settings_choose_where_a_model_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: Literal["auto", "cpu", "cuda"], kind: str
) -> None:
    monkeypatch.setattr(repository, "GPUS", (tmp_path / "none",))
    models = catalogue.models(Settings(triton_device=device, data_dir=tmp_path))
    assert f"kind: {kind} " in (models / "bert" / "config.pbtxt").read_text()
    assert repository.any_on_gpu(models) == (kind == "KIND_GPU")


def test_a_gpu_that_is_not_there_is_told_of_before_anything_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "GPUS", (tmp_path / "none",))
    monkeypatch.setattr(triton, "install", lambda *_, **__: pytest.fail("it began to install"))
    settings = Settings(triton_device="cuda", data_dir=tmp_path)
    part = triton.Triton(settings, "test", lambda: catalogue.models(settings))
    with pytest.raises(OperatorError, match=r"shows none: install NVIDIA's driver .*FOOTFALL_TRITON_DEVICE=cpu"):
        part.prepare(lambda _: None)


@pytest.mark.parametrize(
    ("told", "release"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12\nGCC version:  gcc 12.2.0", 535),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build\nGCC version: gcc 14", 0),
        ("NVRM version: of another kind", 0),
        (None, 0),
    ],
)
def test_a_driver_that_is_too_old_is_left_alone_or_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None, release: int
) -> None:
    driver = tmp_path / "version"
    if told is not None:
        driver.write_text(told)
    monkeypatch.setattr(repository, "GPUS", (tmp_path,))
    monkeypatch.setattr(repository, "DRIVER", driver)
    monkeypatch.setattr(triton, "install", lambda *_, **__: "installed")
    assert repository.on_gpu("auto") is not bool(release)
    settings = Settings(triton_device="cuda", data_dir=tmp_path)
    part = triton.Triton(settings, "test", lambda: catalogue.models(settings))
    if release:
        with pytest.raises(OperatorError, match=rf"release {release}: CUDA 13 runs on 580 .*TRITON_DEVICE=cpu"):
            part.prepare(lambda _: None)
    else:
        part.prepare(lambda _: None)


@pytest.mark.parametrize(("device", "found"), [("cpu", "/python"), ("cuda", "/python:/driver")])
def test_on_a_gpu_the_drivers_library_is_found_where_a_container_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: Literal["cpu", "cuda"], found: str
) -> None:
    monkeypatch.setattr(repository, "GPUS", (tmp_path,))
    monkeypatch.setattr(repository, "DRIVER", tmp_path / "none")
    here = Installation(tmp_path, tmp_path, Path("/python"))
    monkeypatch.setattr(triton, "install", lambda *_, **__: here)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/driver")
    settings = Settings(triton_device=device, data_dir=tmp_path)
    part = triton.Triton(settings, "test", lambda: catalogue.models(settings))
    part.prepare(lambda _: None)
    assert part.command().env["LD_LIBRARY_PATH"] == found


def test_the_card_is_named_as_its_driver_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "GPUS", (tmp_path,))
    assert repository.card() == ""
    (tmp_path / "0000:3b:00.0").mkdir()
    (tmp_path / "0000:3b:00.0" / "information").write_text("Model: \t\t NVIDIA H100 PCIe\nIRQ: 1\n")
    assert repository.card() == "NVIDIA H100 PCIe"


def test_triton_loads_versions_in_use_and_lives_by_the_one_that_serves(tmp_path: Path) -> None:
    for name in ("bert", "bert-2", "bert-3", "bert-4", "echo"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.pbtxt").touch()
    assert (repository.wanted(tmp_path), repository.vital(tmp_path)) == (["bert", "echo"], ["bert", "echo"])
    entries = tuple(Entry(name=f"bert-{n}", version=str(n), source="", at="") for n in (2, 3, 4))
    registry.write(tmp_path, Registry(serving="bert-2", previous="bert", shadow="bert-4", entries=entries))
    assert repository.wanted(tmp_path) == ["bert", "bert-2", "bert-4", "echo"]
    assert repository.vital(tmp_path) == ["bert-2", "echo"]


def test_whatever_uses_topics_brings_their_creation() -> None:
    assert catalogue.select(["kafka", "profile"]) == ("kafka", "topics", "profile")
    assert catalogue.select(["triton"]) == ("triton",)
    assert catalogue.select(None) == catalogue.NAMES
