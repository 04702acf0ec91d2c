"""From torch to the ONNX file that Triton serves: int8, dynamic, per channel; compared with torch on real stories."""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from inference.train.fit import pad
from inference.train.network import Network, Words
from schemas.errors import FootfallError

# In probability: more than int8 costs (0.01 to 0.02 measured), less than a wrong weight would.
MOST_MEAN_DIFFERENCE = 0.03


class ParityError(FootfallError):
    """The exported file does not answer as the network does."""


class Served(nn.Module):  # type: ignore[misc]
    """The network with probabilities as its answer."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Probabilities of churn and intent, [texts, 2]."""
        return torch.sigmoid(self.network(input_ids, attention_mask))


def export(network: Network, path: Path) -> None:
    """Write the int8 `path`. The network's embeddings become one ordinary table, in place."""
    words = network.encoder.get_input_embeddings()
    if isinstance(words, Words):
        network.encoder.set_input_embeddings(words.merged())
    network.eval()
    ids, mask = pad([[101, 2000, 2001, 102], [101, 2000, 102]])
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "fp32.onnx"
        torch.onnx.export(
            Served(network),
            (ids, mask),
            str(full),
            input_names=["input_ids", "attention_mask"],
            output_names=["probabilities"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "tokens"},
                "attention_mask": {0: "texts", 1: "tokens"},
                "probabilities": {0: "texts"},
            },
            opset_version=17,
            dynamo=False,
        )
        # The quantiser advises a step for convolutional networks, on the root logger.
        logging.disable(logging.WARNING)
        try:
            # Seven bits: with eight, processors without VNNI saturate, and answers would depend on the machine.
            quantize_dynamic(str(full), str(path), per_channel=True, weight_type=QuantType.QInt8, reduce_range=True)
        finally:
            logging.disable(logging.NOTSET)


def run(path: Path, ids: Sequence[list[int]], batch: int = 32, threads: int = 1) -> "np.ndarray[Any, Any]":
    """The exported model's probabilities of each text, [texts, 2], in order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    answers = np.zeros((len(ids), 2))
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        tokens, mask = pad([ids[i] for i in rows])
        answers[rows] = session.run(None, {"input_ids": tokens.numpy(), "attention_mask": mask.numpy()})[0]
    return answers


def parity(network: Network, path: Path, ids: Sequence[list[int]]) -> float:
    """Mean distance between the file's probabilities and torch's on these texts; `ParityError` when it is too far."""
    with torch.no_grad():
        expected = np.concatenate([torch.sigmoid(network(*pad([text]))).numpy() for text in ids])
    distance = float(np.abs(run(path, ids) - expected).mean())
    if not distance <= MOST_MEAN_DIFFERENCE:
        raise ParityError(
            f"{path} answers {distance:.4f} apart from torch on average, more than {MOST_MEAN_DIFFERENCE}"
        )
    return distance
