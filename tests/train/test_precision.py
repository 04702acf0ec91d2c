"""The shipped network in other precisions: what is made of the int8 file answers as it does."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from deploy.bench.full_precision import textbook
from deploy.bench.textbook import in_torch
from inference import precision
from inference.model import MODEL_FILE, SHIPPED, Model

SHIPPED_FILE = SHIPPED / MODEL_FILE
FP32, FP16 = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16


def texts() -> list[str]:
    """Stories with and without numbers, reviews in two scripts, and none."""
    bins = Model.load().manifest.bins
    buckets = [
        " ".join(bins.token_of(name, n % (len(edges) + 1)) for name, edges in bins.edges.items()) for n in (0, 9)
    ]
    stories = [f"{numbers} {ago}d bought 2 bread 5, 9d viewed soft drinks" for numbers in buckets for ago in (1, 40)]
    return [
        "",
        *stories,
        buckets[0],
        "3d bought soft drinks 12",
        "质量很好 very good 物流慢",
        "broke after two days " * 20,
    ]


def padded(ids: list[list[int]], length: int = 0) -> dict[str, "np.ndarray[Any, Any]"]:
    """Ids and mask, as Triton stacks them."""
    longest = max(length, *map(len, ids))
    tokens = np.array([one + [0] * (longest - len(one)) for one in ids])
    return {
        "input_ids": tokens,
        "attention_mask": np.array([[n < len(one) for n in range(longest)] for one in ids]) * 1,
    }


def ask(network: bytes, given: dict[str, "np.ndarray[Any, Any]"]) -> "np.ndarray[Any, Any]":
    """The answers, [texts, heads]; those for value as log1p."""
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    answer: np.ndarray[Any, Any] = session.run(["probabilities"], given)[0]
    return answer


@pytest.fixture(scope="module")
def ids() -> list[list[int]]:
    return Model.load().encode(texts())


@pytest.fixture(scope="module")
def full(ids: list[list[int]]) -> "np.ndarray[Any, Any]":
    """What fp32 answers."""
    return ask(precision.dequantise(onnx.load(SHIPPED_FILE)).SerializeToString(), padded(ids))


def test_fp32_has_no_integers_and_answers_as_int8(ids: list[list[int]], full: "np.ndarray[Any, Any]") -> None:
    model = precision.dequantise(onnx.load(SHIPPED_FILE))
    assert not {"MatMulInteger", "QAttention", "DynamicQuantizeLinear", "DequantizeLinear"} & {
        node.op_type for node in model.graph.node
    }
    kinds = {table.data_type for table in model.graph.initializer}
    assert kinds.isdisjoint({onnx.TensorProto.INT8, onnx.TensorProto.UINT8})
    onnx.checker.check_model(model)
    assert np.abs(full - ask(SHIPPED_FILE.read_bytes(), padded(ids))).mean() < 0.02


def test_fp16_halves_the_encoder_and_answers_as_fp32(ids: list[list[int]], full: "np.ndarray[Any, Any]") -> None:
    model = precision.halve(precision.dequantise(onnx.load(SHIPPED_FILE)))
    tables = {table.name: table.data_type for table in model.graph.initializer}
    assert {kind for name, kind in tables.items() if ".encoder." in name} == {FP16}
    # The numbers' path stays exact.
    assert tables["network.numbers.layer"] == tables["/network/numbers/Constant_output_0"] == FP32
    onnx.checker.check_model(model)
    answers = ask(model.SerializeToString(), padded(ids))
    assert answers.dtype == np.float32
    assert np.abs(answers - full).max() < 0.02


def test_what_stays_exact_is_not_rounded_on_its_way() -> None:
    """No node reads, through fp16 and back, what another wrote in fp32; and each node is there once."""
    nodes = precision.halve(precision.dequantise(onnx.load(SHIPPED_FILE))).graph.node
    outputs = [output for node in nodes for output in node.output]
    assert len(outputs) == len(set(outputs))
    casts = {node.output[0]: node.attribute[0].i for node in nodes if node.op_type == "Cast"}
    read_again = {node.input[0] for node in nodes if node.op_type == "Cast" and node.attribute[0].i == FP32}
    assert not [name for name in read_again if casts.get(name) == FP16]


def test_bounded_shapes_answer_alike_whatever_the_padding(ids: list[list[int]], full: "np.ndarray[Any, Any]") -> None:
    model = precision.halve(precision.plain(precision.dequantise(onnx.load(SHIPPED_FILE))))
    assert {node.op_type for node in model.graph.node}.isdisjoint({"NonZero", "Attention"})
    # What TensorRT 10 does not take.
    assert {node.domain for node in model.graph.node} == {""}
    for length in (0, 128):
        assert np.abs(ask(model.SerializeToString(), padded(ids, length)) - full).max() < 0.02
        assert np.abs(ask(textbook(SHIPPED_FILE), padded(ids, length)) - full).max() < 1e-3


def test_the_textbook_in_torch_knows_every_word_that_a_story_may_have() -> None:
    words = Model.load().tokenizer.size
    name, run = in_torch(SHIPPED_FILE, "cpu", words)
    assert name.endswith("fp32 on cpu, weights by chance")
    assert run(np.array([[1, words - 1]]), np.array([[1, 1]])).shape == (1, 384)


@pytest.mark.parametrize(("flags", "looks"), [((), True), (("--plain",), False)])
def test_a_file_for_nvidias_own_backends(tmp_path: Path, flags: tuple[str, ...], looks: bool) -> None:
    made = tmp_path / "model.onnx"
    precision.main(str(SHIPPED_FILE), str(made), *flags)
    found = {node.op_type for node in onnx.load(made).graph.node}
    assert ("NonZero" in found) is looks
