"""BERT inside Triton's Python backend: numpy (older than 2, which this backend needs) and onnxruntime, nothing else."""

import json
import os
from typing import Any

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils

CUDA = "CUDAExecutionProvider"


class TritonPythonModel:
    """Runs `model.onnx` beside this file on each batch that Triton has collected: as it is, or on a GPU in fp16."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the network and its identity; Triton does not serve the version when this raises."""
        config = json.loads(args["model_config"])
        folder = os.path.join(args["model_repository"], args["model_version"])
        options = ort.SessionOptions()
        options.intra_op_num_threads = int(config["parameters"]["threads"]["string_value"])
        # Idle threads must sleep: the cores are shared with the rest of the pipeline.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = os.path.join(folder, "model.onnx")
        on_gpu = args["model_instance_kind"] == "GPU"
        self.session = (cuda if on_gpu else cpu)(path, options, args["model_instance_device_id"])
        with open(os.path.join(folder, "manifest.json"), "rb") as file:
            manifest = json.load(file)
        heads = ",".join(manifest.get("heads", ("churn", "intent")))
        self.identity = [manifest["version"].encode(), manifest["files"]["tokenizer.json"].encode(), heads.encode()]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer every request: the rows of all of them in one run, padded to the longest."""
        ids = [pb_utils.get_input_tensor_by_name(request, "input_ids").as_numpy() for request in requests]
        masks = [pb_utils.get_input_tensor_by_name(request, "attention_mask").as_numpy() for request in requests]
        (probabilities,) = self.session.run(
            ["probabilities"], {"input_ids": stack(ids), "attention_mask": stack(masks)}
        )
        probabilities = np.asarray(probabilities, dtype=np.float32)
        ends = np.cumsum([len(block) for block in ids])[:-1]
        return [
            self.answer(request, block) for request, block in zip(requests, np.split(probabilities, ends), strict=True)
        ]

    def answer(self, request: Any, probabilities: np.ndarray[Any, Any]) -> Any:
        """One request's answer; the identity only where it was asked for."""
        outputs = [pb_utils.Tensor("probabilities", np.ascontiguousarray(probabilities))]
        if "identity" in request.requested_output_names():
            rows = np.array([self.identity] * len(probabilities), dtype=np.object_)
            outputs.append(pb_utils.Tensor("identity", rows))
        return pb_utils.InferenceResponse(outputs)


def cpu(path: str, options: Any, _: str) -> Any:
    """The int8 network on the CPU."""
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def cuda(path: str, options: Any, device: str) -> Any:
    """The same network in fp16 on a GPU; RuntimeError where CUDA cannot be had, naming what to do.

    ONNX Runtime would go on without its CUDA libraries: many times slower, and saying nothing.
    """
    fix = "install onnxruntime-gpu[cuda,cudnn] and onnx into Triton's Python, or set FOOTFALL_TRITON_DEVICE=cpu"
    if CUDA not in ort.get_available_providers():
        raise RuntimeError(f"this onnxruntime has no CUDA: {fix}")
    try:
        import onnx
        from precision import dequantise, halve
    except ImportError as error:
        raise RuntimeError(f"fp16 needs {error.name}: {fix}") from error
    ort.preload_dlls()
    network = halve(dequantise(onnx.load(path))).SerializeToString()
    session = ort.InferenceSession(network, options, providers=[(CUDA, {"device_id": device})])
    if session.get_providers()[0] != CUDA:
        raise RuntimeError(f"CUDA's libraries, or a card for them, are missing (CUDA 13: driver 580 or newer): {fix}")
    return session


def stack(blocks: list[Any]) -> np.ndarray[Any, Any]:
    """[rows, longest] of several [rows, length], padded with 0."""
    longest = max(block.shape[1] for block in blocks)
    return np.concatenate([np.pad(block, ((0, 0), (0, longest - block.shape[1]))) for block in blocks])
