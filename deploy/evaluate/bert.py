"""BERT as it is served: the very file, run here."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference import manifest as manifests
from inference.manifest import Manifest
from inference.model import MODEL_FILE, SHIPPED, Model
from inference.train.examples import Row
from inference.train.export import run
from inference.train.text import text
from schemas.errors import OperatorError
from stream.settings import Settings

Array = np.ndarray[Any, np.dtype[np.float64]]


class Bert:
    """One head of the model that the settings name."""

    def __init__(self, model: Model, file: Any, head: str) -> None:
        self._model, self._file = model, file
        self._column = model.manifest.heads.index(head)
        self._amount = head == "value"

    @classmethod
    def load(cls, head: str) -> "Bert":
        """From FOOTFALL_MODEL_DIR, else the shipped model; `OperatorError` when it does not answer this."""
        folder = Settings().model_dir or SHIPPED
        model = Model.load(folder)
        manifests.verify(folder, model.manifest, MODEL_FILE)
        if head not in model.manifest.heads:
            raise OperatorError(f"the model in {folder} answers {', '.join(model.manifest.heads)}, not {head}")
        return cls(model, folder / MODEL_FILE, head)

    @property
    def manifest(self) -> Manifest:
        """What the model says of itself."""
        return self._model.manifest

    def answer(self, rows: Sequence[Row]) -> Array:
        """The answer to each row: a probability, or an amount in the main unit."""
        if not rows:
            return np.zeros(0)
        ids = self._model.encode([text(row, self.manifest.bins) for row in rows])
        told: Array = run(self._file, ids)[:, self._column].astype(np.float64)
        return np.expm1(told) if self._amount else told
