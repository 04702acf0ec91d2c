"""The textbook's loop, and the same with dynamic padding: fp32, batches of 16, in this very process.

Runs in an environment of its own (`textbook-requirements.txt`), or in one with torch. Reads questions from stdin, one
JSON object a line: `{"texts": […], "pad": 128}`, where `pad` 0 pads each batch to its longest text. Answers with
`{"seconds": …, "probabilities": [[…]]}`; tokenising is part of the loop, and of the seconds.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

BATCH = 16
Run = Callable[["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"], "np.ndarray[Any, Any]"]


def in_onnxruntime(model: Path) -> tuple[str, Run]:
    """The served network's weights, in fp32, with ONNX Runtime as it comes: every core, every optimisation.

    What the served network does to save work is left out: see `full_precision`.
    """
    import onnxruntime as ort

    from deploy.bench.full_precision import textbook

    ort.set_default_logger_severity(3)
    session = ort.InferenceSession(textbook(model), providers=["CPUExecutionProvider"])

    def run(ids: "np.ndarray[Any, Any]", mask: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        answer: np.ndarray[Any, Any] = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return answer

    return f"onnxruntime {ort.__version__} fp32", run


def in_torch(model: Path, device: str, vocabulary: int) -> tuple[str, Run]:
    """A network of the served one's shape, in fp32, with torch and transformers; its weights are by chance.

    On a GPU where that is asked for, and torch has one. Its table has all of the `vocabulary`: the served one's has no
    rows for words that tell a number, which never reach its encoder.
    """
    import onnx
    import torch
    from transformers import BertConfig, BertModel

    graph = onnx.load(model).graph
    width = next(
        table.dims[1]
        for table in graph.initializer
        if table.name.startswith("network.words.weight") and len(table.dims) == 2
    )
    layers = sum(node.op_type in ("Softmax", "QAttention") for node in graph.node)
    shape = BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        intermediate_size=4 * width,
    )
    place = device if device == "cpu" or torch.cuda.is_available() else "cpu"
    network = BertModel(shape, add_pooling_layer=False).eval().to(place)

    def run(ids: "np.ndarray[Any, Any]", mask: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
        with torch.no_grad():
            given = {"input_ids": torch.from_numpy(ids).to(place), "attention_mask": torch.from_numpy(mask).to(place)}
            hidden = network(**given).last_hidden_state
        answer: np.ndarray[Any, Any] = hidden.mean(1).cpu().numpy()
        return answer

    return f"torch {torch.__version__} fp32 on {place}, weights by chance", run


def main(folder: str, tokens: str, runtime: str, device: str) -> None:
    """Answer until stdin ends."""
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.enable_truncation(int(tokens))
    model = Path(folder) / "model.onnx"
    words = tokenizer.get_vocab_size()
    name, run = in_torch(model, device, words) if runtime == "torch" else in_onnxruntime(model)
    print(json.dumps({"runtime": name}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        tokenizer.enable_padding(length=asked["pad"] or None)
        began = time.perf_counter()
        answers: list[Any] = []
        for start in range(0, len(asked["texts"]), BATCH):
            batch = tokenizer.encode_batch(asked["texts"][start : start + BATCH])
            ids = np.array([text.ids for text in batch], dtype=np.int64)
            mask = np.array([text.attention_mask for text in batch], dtype=np.int64)
            answers.extend(run(ids, mask).tolist())
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "probabilities": answers}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
