"""A network out of the file that is served: what a model has learned, as far as int8 kept it, to go on from."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

from inference.bins import Bins
from inference.model import MODEL_FILE, TOKENIZER_FILE
from inference.precision import dequantise
from inference.tokenizer import Tokenizer
from inference.train import network
from inference.train.grams import Grams
from inference.train.network import PARTS, Network
from schemas.errors import OperatorError

PREFIX: Final = "network."
FUSED: Final = ("attention.self.weight", "attention.self.bias")
PROJECTIONS: Final = ("query", "key", "value")


def restore(folder: Path, base: str, bins: Bins, heads: int) -> tuple[Network, list[str]]:
    """The network of a model folder that `footfall train` made from this `base`, and the words that it learned anew.

    Raises `OperatorError` where the base is another one.
    """
    plain = Tokenizer.load(Path(base) / "tokenizer.json", 2)
    served = Tokenizer.load(folder / TOKENIZER_FILE, 2)
    known = served.size - len(bins.vocabulary())
    more = [served.word(number) for number in range(plain.size, known)]
    weights = _weights(onnx.load(folder / MODEL_FILE))
    layers = 1 + max(int(name.split(".layer.")[1].split(".")[0]) for name in weights if ".layer." in name)
    model = network.build(base, bins, heads, 0, layers=layers, new_words=len(more))
    words = weights.pop("words.weight")
    model.numbers.merged = weights.pop("numbers.merged")
    if "grams.weights" in weights:
        model.grams = Grams(heads, 0)
    # A file from before there were grams has no weight for them.
    weights["mix"] = functional.pad(weights["mix"], (0, PARTS - weights["mix"].shape[1]))
    left = dict(model.named_parameters()) | dict(model.named_buffers())
    for name, weight in weights.items():
        if name not in left or left[name].shape != weight.shape:
            raise OperatorError(f"{folder} was not made from {base}: `{name}` differs")
        with torch.no_grad():
            left[name].copy_(weight)
    table = torch.nn.Embedding.from_pretrained(words)
    model.words = table
    model.known = len(words)
    return model.eval(), more


def _weights(model: Any) -> dict[str, torch.Tensor]:
    """Weights by the names that torch gives them."""
    graph = dequantise(model).graph
    tables = {table.name: numpy_helper.to_array(table) for table in graph.initializer}
    found: dict[str, np.ndarray[Any, Any]] = {}
    for name, table in tables.items():
        if name.startswith(PREFIX):
            found |= _parts(name, table) if name.endswith(FUSED) else _straight(name, table)
    for node in graph.node:
        module = node.name.strip("/").replace("/", ".").rpartition(".")[0]
        if node.op_type == "MatMul" and node.input[1].startswith("onnx::"):
            found[f"{module}.weight"] = tables[node.input[1]].T
        elif node.name == "/network/numbers/Gather":
            found["network.numbers.merged"] = tables[node.input[0]]
    return {name.removeprefix(PREFIX): torch.from_numpy(table.copy()) for name, table in found.items()}


def _straight(name: str, table: "np.ndarray[Any, Any]") -> dict[str, "np.ndarray[Any, Any]"]:
    plain = name.removesuffix("_Transposed")
    return {plain: table if plain == name else table.T}


def _parts(name: str, table: "np.ndarray[Any, Any]") -> dict[str, "np.ndarray[Any, Any]"]:
    """Query, key and value out of what was fused."""
    module, _, kind = name.rpartition(".")
    return {
        f"{module}.{part}.{kind}": one.T for part, one in zip(PROJECTIONS, np.split(table, 3, axis=-1), strict=True)
    }
