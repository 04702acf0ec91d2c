"""The smallest model that shows the backend at work: it doubles its ids, with what BERT needs (onnxruntime, int64)."""

from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Triton's entry point."""

    def execute(self, requests: list[Any]) -> list[Any]:
        """Every id twice itself, and the number of onnxruntime's providers."""
        responses = []
        for request in requests:
            ids = pb_utils.get_input_tensor_by_name(request, "ids").as_numpy()
            kinds = np.full((len(ids), 1), len(onnxruntime.get_available_providers()), dtype=np.float32)
            tensors = [pb_utils.Tensor("doubled", ids * 2), pb_utils.Tensor("kinds", kinds)]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
        return responses
