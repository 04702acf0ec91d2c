"""BERT where the network runs in a backend of its own: pads what Triton has collected, and says who answers."""

import json
import os
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Passes each collected batch to the model that its parameter `network` names, within the server."""

    def initialize(self, args: dict[str, str]) -> None:
        """Read the identity out of the manifest beside this file."""
        self.network = json.loads(args["model_config"])["parameters"]["network"]["string_value"]
        with open(os.path.join(args["model_repository"], args["model_version"], "manifest.json"), "rb") as file:
            manifest = json.load(file)
        said = (manifest["version"], manifest["files"]["tokenizer.json"], ",".join(manifest["heads"]))
        self.identity = [word.encode() for word in said]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer every request out of one call for all of their rows."""
        columns = {
            name: [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
            for name in ("input_ids", "attention_mask")
        }
        call = pb_utils.InferenceRequest(
            model_name=self.network,
            inputs=[pb_utils.Tensor(name, stack(blocks)) for name, blocks in columns.items()],
            requested_output_names=["probabilities"],
            preferred_memory=pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU),
        )
        answer = call.exec()
        if answer.has_error():
            error = pb_utils.TritonError(answer.error().message())
            return [pb_utils.InferenceResponse([], error) for _ in requests]
        rows = pb_utils.get_output_tensor_by_name(answer, "probabilities").as_numpy()
        ends = np.cumsum([len(block) for block in columns["input_ids"]])[:-1]
        return [self.answer(block) for block in np.split(np.asarray(rows, dtype=np.float32), ends)]

    def answer(self, probabilities: np.ndarray[Any, Any]) -> Any:
        """One request's answer, with the identity."""
        identity = np.array([self.identity] * len(probabilities), dtype=np.object_)
        tensors = [pb_utils.Tensor("probabilities", np.ascontiguousarray(probabilities))]
        return pb_utils.InferenceResponse([*tensors, pb_utils.Tensor("identity", identity)])


def stack(blocks: list[Any]) -> np.ndarray[Any, Any]:
    """[rows, longest] of several [rows, length], padded with 0."""
    longest = max(block.shape[1] for block in blocks)
    return np.concatenate([np.pad(block, ((0, 0), (0, longest - block.shape[1]))) for block in blocks])
