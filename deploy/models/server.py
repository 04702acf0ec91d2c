"""Triton's model control: load and unload by name, which models are ready, and how long they have taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tritonclient import grpc
from tritonclient.utils import InferenceServerException

from schemas.errors import OperatorError

LOAD_S = 120.0
CALL_S = 10.0


class Server:
    """A Triton that runs with explicit model control. Every method raises `OperatorError` where it does not answer."""

    def __init__(self, url: str) -> None:
        self.url = url

    def load(self, name: str) -> None:
        """Load a model out of the repository, or load it anew; it is ready when this returns."""
        with self._client() as client:
            client.load_model(name, client_timeout=LOAD_S)

    def unload(self, name: str) -> None:
        """Unload a model; one that is not loaded stays so."""
        with self._client() as client:
            client.unload_model(name, client_timeout=LOAD_S)

    def reload(self, name: str) -> None:
        """Unload and load: a new process for the model, whatever has become of its old one."""
        self.unload(name)
        self.load(name)

    def ready(self, name: str) -> bool:
        """Whether Triton says that it serves a model; it goes on saying so when the model's process has died."""
        with self._client() as client:
            return bool(client.is_model_ready(name, client_timeout=CALL_S))

    def milliseconds(self, name: str) -> dict[str, float]:
        """How many texts a model has answered, and the mean ms that an execution took; empty where it is not loaded."""
        with self._client() as client:
            if not client.is_model_ready(name, client_timeout=CALL_S):
                return {}
            said: dict[str, Any] = client.get_inference_statistics(name, as_json=True, client_timeout=CALL_S)
        found = said["model_stats"][0]
        executions, total = int(found.get("execution_count", 0)), found["inference_stats"].get("compute_infer", {})
        mean = int(total.get("ns", 0)) / 1e6 / max(1, int(total.get("count", 0)))
        return {"texts": int(found.get("inference_count", 0)), "executions": executions, "mean_ms": round(mean, 2)}

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            with grpc.InferenceServerClient(self.url) as client:
                yield client
        except InferenceServerException as error:
            raise OperatorError(f"Triton at {self.url} refuses ({error.message()}): look at its log") from error
