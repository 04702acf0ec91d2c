"""Triton's `model.py` without Triton: where it runs the network, and what it says where it cannot."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import onnxruntime
import pytest

from deploy.local.catalogue import TEMPLATE
from deploy.local.repository import assemble
from inference.model import SHIPPED, Model

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the shipped model for a GPU, as Triton's stub sees it: the version's folder on the path."""
    assemble(TEMPLATE, SHIPPED, tmp_path, "bert", "cuda")
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", ModuleType("triton_python_backend_utils"))
    monkeypatch.delitem(sys.modules, "precision", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path / "bert" / "1"))
    return tmp_path / "bert"


def model(folder: Path) -> Any:
    """The module that Triton loads."""
    spec = importlib.util.spec_from_file_location("served", folder / "1" / "model.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def start(folder: Path, kind: str) -> Any:
    """Initialise it as Triton does."""
    served = model(folder).TritonPythonModel()
    config = {"parameters": {"threads": {"string_value": "1"}}}
    served.initialize(
        {
            "model_config": json.dumps(config),
            "model_repository": str(folder),
            "model_version": "1",
            "model_instance_kind": kind,
            "model_instance_device_id": "3",
        }
    )
    return served


def test_a_cpu_instance_runs_int8(folder: Path) -> None:
    served = start(folder, "CPU")
    assert served.session.get_providers() == [CPU]
    assert served.identity[0].decode() == Model.load().version


def test_without_cuda_it_says_what_to_install(folder: Path) -> None:
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(RuntimeError, match=r"no CUDA: install onnxruntime-gpu.*FOOTFALL_TRITON_DEVICE=cpu"):
        start(folder, "GPU")


def test_without_onnx_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(RuntimeError, match=r"fp16 needs onnx: install onnxruntime-gpu"):
        start(folder, "GPU")


def test_a_gpu_instance_runs_fp16_on_its_own_card(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a CUDA provider that is there in name: the network it is handed, and for which card."""
    asked: dict[str, Any] = {}
    real = onnxruntime.InferenceSession

    class Session:
        def __init__(self, network: bytes, options: Any, providers: list[Any]) -> None:
            asked.update(network=network, providers=providers)
            self.real = real(network, options, providers=[CPU])

        def get_providers(self) -> list[str]:
            said: list[str] = asked["says"]
            return said

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    asked["says"] = [CUDA, CPU]
    served = start(folder, "GPU")
    assert asked["providers"] == [(CUDA, {"device_id": "3"})]
    # Twice the bytes of int8, half those of fp32.
    assert 1.5 < len(asked["network"]) / (SHIPPED / "model.onnx").stat().st_size < 2.5
    assert served.session.real.get_outputs()[0].type == "tensor(float)"
    # The libraries are there in part only: ONNX Runtime falls back, and does not say so.
    asked["says"] = [CPU]
    with pytest.raises(RuntimeError, match="or a card for them, are missing"):
        start(folder, "GPU")
