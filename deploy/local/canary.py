"""A real inference as the sign of life: Triton's own readiness stays true when a model's Python process has died."""

from typing import Any

import numpy as np

from deploy.local.part import NotReady

FREE_DIMENSION = 8
NUMPY = {
    "INT64": np.int64,
    "INT32": np.int32,
    "FP32": np.float32,
    "FP16": np.float16,
    "BOOL": np.bool_,
    "UINT8": np.uint8,
}


def canary(url: str, model: str, timeout_s: float = 10.0) -> None:
    """Send the model ones in the shapes it declares, and look that every output is filled; NotReady otherwise."""
    from tritonclient import grpc
    from tritonclient.utils import InferenceServerException

    try:
        with grpc.InferenceServerClient(url) as client:
            inputs = []
            for spec in client.get_model_metadata(model, client_timeout=timeout_s).inputs:
                array = ones(spec.datatype, spec.shape)
                inputs.append(grpc.InferInput(spec.name, list(array.shape), spec.datatype))
                inputs[-1].set_data_from_numpy(array)
            answer = client.infer(model, inputs, client_timeout=timeout_s)
            names = [output.name for output in answer.get_response().outputs]
            if empty := [name for name in names if np.size(answer.as_numpy(name)) == 0]:
                raise NotReady(f"model {model} answers with empty {', '.join(empty)}")
    except InferenceServerException as error:
        raise NotReady(f"model {model}: {error.message()}") from error


def mend(url: str, model: str, timeout_s: float = 30.0) -> bool:
    """Load a model anew that Triton calls ready though it does not answer; whether it answers now.

    Its Python process has died: Triton never starts it again by itself. One that is not ready may be on its way.
    """
    from tritonclient import grpc
    from tritonclient.utils import InferenceServerException

    try:
        with grpc.InferenceServerClient(url) as client:
            if not client.is_model_ready(model, client_timeout=timeout_s):
                return False
            client.unload_model(model, client_timeout=timeout_s)
            client.load_model(model, client_timeout=timeout_s)
        canary(url, model)
    except (InferenceServerException, NotReady):
        return False
    return True


def ones(datatype: str, shape: "list[int] | Any") -> "np.ndarray[Any, Any]":
    """An input of ones: a batch of one, and 8 along every other dimension that the model leaves open."""
    sizes = [size if size > 0 else 1 if axis == 0 else FREE_DIMENSION for axis, size in enumerate(shape)]
    if datatype == "BYTES":
        return np.full(sizes, b"canary", dtype=np.object_)
    return np.ones(sizes, dtype=NUMPY[datatype])
