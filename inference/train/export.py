"""From torch to the ONNX file that Triton serves: int8, dynamic, per channel; compared with torch on real stories."""

import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from inference.train.batches import Encoded, pad
from inference.train.fit import auc
from inference.train.fused import fused
from inference.train.network import Network
from schemas.errors import FootfallError

# How far the file may be from torch: in probability on average, and in ROC AUC.
MOST_MEAN_DIFFERENCE = 0.02
MOST_AUC_DIFFERENCE = 0.002
FEWEST = 500


# Small, and exact: the numbers' members and the grams' table. By the names that torch gives nodes, after modules.
EXACT = ("/network/numbers/", "/network/grams/")


class ParityError(FootfallError):
    """The exported file does not answer as the network does."""


class Served(nn.Module):  # type: ignore[misc]
    """The network with the answers that are served: probabilities, and for value log1p of an amount, never negative."""

    def __init__(self, network: Network, heads: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("amount", torch.tensor([head == "value" for head in heads]))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The answers, [texts, heads]."""
        told = self.network(input_ids, attention_mask)
        return torch.where(self.amount, told.clamp(min=0), torch.sigmoid(told))


def export(network: Network, path: Path, heads: Sequence[str]) -> None:
    """Write the int8 `path`, with fused attention; what is small stays exact."""
    network.eval()
    ids, mask = pad([[101, 2000, 2001, 102], [101, 2000, 102]])
    with tempfile.TemporaryDirectory() as folder:
        full = Path(folder) / "fp32.onnx"
        _trace(Served(fused(network), heads), (ids, mask), full)
        exact = [node.name for node in onnx.load(str(full)).graph.node if node.name.startswith(EXACT)]
        # The quantiser advises a step for convolutional networks, on the root logger.
        logging.disable(logging.WARNING)
        try:
            # Seven bits: with eight, processors without VNNI saturate, and answers would depend on the machine.
            quantize_dynamic(
                str(full),
                str(path),
                per_channel=True,
                weight_type=QuantType.QInt8,
                reduce_range=True,
                nodes_to_exclude=exact,
                # Whatever follows a fused operator: shape inference knows none of them.
                extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
            )
        finally:
            logging.disable(logging.NOTSET)


def _trace(served: Served, given: tuple[Tensor, Tensor], path: Path) -> None:
    """Write the fp32 file. By tracing: the newer exporter does not know of shapes that depend on what is in a batch."""
    with warnings.catch_warnings():
        # It says that it is old, and of each Python condition that it cannot follow it.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            served,
            given,
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["probabilities"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "tokens"},
                "attention_mask": {0: "texts", 1: "tokens"},
                "probabilities": {0: "texts"},
            },
            opset_version=17,
            custom_opsets={"com.microsoft": 1},
            dynamo=False,
        )


def run(path: Path, ids: Sequence[list[int]], batch: int = 32, threads: int = 1) -> "np.ndarray[Any, Any]":
    """The exported model's answers to each text, [texts, heads], in order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    answers: list[np.ndarray[Any, Any]] = [np.zeros(0)] * len(ids)
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        tokens, mask = pad([ids[i] for i in rows])
        given = session.run(None, {"input_ids": tokens.numpy(), "attention_mask": mask.numpy()})[0]
        for row, answer in zip(rows, given, strict=True):
            answers[row] = answer
    return np.stack(answers)


def parity(network: Network, path: Path, texts: Encoded, heads: Sequence[str]) -> dict[str, float]:
    """How far the file's answers are from torch's on these texts; `ParityError` when it is too far.

    `mean_difference` of probabilities, `largest_auc_difference` over the heads (see `apart`), both absolute.
    """
    served = Served(network, heads).eval()
    with torch.no_grad():
        expected = np.concatenate([served(*pad(texts.ids[i : i + 1])).numpy() for i in range(len(texts.ids))])
    found = apart(run(path, texts.ids), expected, texts, heads)
    if not found["mean_difference"] <= MOST_MEAN_DIFFERENCE:
        raise ParityError(f"{path} answers apart from torch by more than {MOST_MEAN_DIFFERENCE} on average: {found}")
    if not found["largest_auc_difference"] <= MOST_AUC_DIFFERENCE:
        raise ParityError(f"{path} loses more than {MOST_AUC_DIFFERENCE} of ROC AUC against torch: {found}")
    return found


def apart(
    answers: "np.ndarray[Any, Any]", expected: "np.ndarray[Any, Any]", texts: Encoded, heads: Sequence[str]
) -> dict[str, float]:
    """How far answers, [texts, heads], are from those expected: in probability on average, and in ROC AUC at most."""
    shares = [column for column, head in enumerate(heads) if head != "value"]
    mean = float(np.abs(answers[:, shares] - expected[:, shares]).mean())
    # Of few texts the AUC says nothing.
    enough = [c for c in range(len(heads)) if (~np.isnan(texts.labels[:, c])).sum() >= FEWEST]
    aucs = [
        abs(auc(answers[:, c], texts.labels[:, c], head) - auc(expected[:, c], texts.labels[:, c], head))
        for c, head in ((c, heads[c]) for c in enough)
    ]
    return {"mean_difference": round(mean, 5), "largest_auc_difference": round(max(aucs, default=0.0), 5)}
