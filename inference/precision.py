"""The served int8 network in other precisions: fp32 with the weights that the integers stand for, and fp16 for GPUs.

Stands by itself (numpy, onnx and, for fp16, onnxruntime): Triton's Python backend has a copy of this file beside
`model.py`, and knows nothing of Footfall.
"""

import sys
from typing import Any, Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

# Small, and exact in fp32: the paths beside the encoder. By the names that torch gives nodes, after their modules.
EXACT: Final = ("/network/numbers/", "/network/grams/")
CONTRIB: Final = "com.microsoft"


def dequantise(model: Any) -> Any:
    """A network that `quantize_dynamic` made int8, with ordinary fp32 products and tables instead; in place.

    Each chain DynamicQuantizeLinear → MatMulInteger → Cast → Mul by the scales becomes one MatMul, each QAttention an
    Attention, each table that is looked up and then scaled an fp32 table, each constant a table like any weight. What
    nothing reads any more is dropped.
    """
    graph = model.graph
    tables = {table.name: numpy_helper.to_array(table) for table in graph.initializer}
    made = {output: node for node in graph.node for output in node.output}
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def weight(name: str, scale: str, zero: str) -> str:
        full = (tables[name].astype(np.float32) - tables[zero].astype(np.float32)) * tables[scale]
        new = name.removesuffix("_quantized")
        graph.initializer.append(numpy_helper.from_array(full.astype(np.float32), new))
        return new

    instead: dict[int, Any] = {}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            (cast,) = readers[node.output[0]]
            (scaled,) = readers[cast.output[0]]
            factor = next(name for name in scaled.input if name != cast.output[0])
            scale = next(name for name in made[factor].input if name in tables)
            inputs = [made[node.input[0]].input[0], weight(node.input[1], scale, node.input[3])]
            name = node.name.removesuffix("_quant")
            instead[id(scaled)] = helper.make_node("MatMul", inputs, list(scaled.output), name=name)
        elif node.op_type == "QAttention":
            instead[id(node)] = _attention(node, made[node.input[0]].input[0], weight)
        elif node.op_type == "DequantizeLinear" and made[node.input[0]].op_type == "Gather":
            looked = made[node.input[0]]
            inputs = [weight(looked.input[0], *node.input[1:]), looked.input[1]]
            instead[id(node)] = helper.make_node("Gather", inputs, list(node.output), name=looked.name)
    for node in graph.node:
        if node.op_type == "Constant":
            table = numpy_helper.to_array(node.attribute[0].t)
            graph.initializer.append(numpy_helper.from_array(table, node.output[0]))
    nodes = [instead.get(id(node), node) for node in graph.node if node.op_type != "Constant"]
    _keep(graph, nodes)
    return model


def _attention(node: Any, source: str, weight: Any) -> Any:
    """QAttention(input, weight, bias, input scale, weight scale, mask, input zero, weight zero) in fp32."""
    inputs = [source, weight(node.input[1], node.input[4], node.input[7]), node.input[2], node.input[5]]
    heads = {a.name: helper.get_attribute_value(a) for a in node.attribute if a.name == "num_heads"}
    name = node.name.removesuffix("_quant")
    return helper.make_node("Attention", inputs, list(node.output), name=name, domain=CONTRIB, **heads)


def _keep(graph: Any, nodes: list[Any]) -> None:
    """Make these the graph's nodes, in an order of theirs that is topological already, without what nothing reads."""
    read = {output.name for output in graph.output}
    kept = []
    for node in reversed(nodes):
        if read.intersection(node.output):
            kept.append(node)
            read.update(node.input)
    tables = [table for table in graph.initializer if table.name in read]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(tables)


def plain(model: Any) -> Any:
    """A network of ONNX's own operators and of shapes that its inputs tell, as any BERT is; in place.

    The served one looks for the columns in which a text has a word (NonZero) and reads no others, which saves work, and
    has its attention in one operator that is ONNX Runtime's own. TensorRT bounds every shape beforehand, and knows no
    such operator. Answers are the same.
    """
    graph = model.graph
    nodes: list[Any] = []
    for node in _every_column(graph):
        nodes += _spelled(graph, node) if node.op_type == "Attention" else [node]
    _keep(graph, nodes)
    return model


def _every_column(graph: Any) -> list[Any]:
    """The nodes, with what chooses columns left out."""
    readers = {name: node for node in graph.node for name in node.input}
    (found,) = (node for node in graph.node if node.op_type == "NonZero")
    columns = found.output[0]
    while readers[columns].op_type != "Gather":
        columns = readers[columns].output[0]
    chosen = [node for node in graph.node if node.op_type == "Gather" and node.input[1] == columns]
    whole = {node.output[0]: node.input[0] for node in chosen}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = whole.get(name, name)
    return list(graph.node)


def _spelled(graph: Any, node: Any) -> list[Any]:
    """An fp32 Attention(input, weight, bias, mask) as the products that it stands for."""
    source, weight, bias, mask = node.input
    heads = helper.get_attribute_value(node.attribute[0])
    hidden = next(table.dims[0] for table in graph.initializer if table.name == weight)
    made: list[Any] = []

    def number(name: str, values: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(np.array(values), f"{node.name}/{name}"))
        return f"{node.name}/{name}"

    def step(kind: str, *inputs: str, **how: Any) -> str:
        output = f"{node.name}/{len(made)}"
        made.append(helper.make_node(kind, list(inputs), [output], name=output, **how))
        return output

    split = number("split", [0, 0, heads, hidden // heads])
    three = step("Add", step("MatMul", source, weight), bias)
    ends = [number(f"end_{n}", [n * hidden]) for n in range(4)]
    axis = number("axis", [2])
    query, key, value = (step("Reshape", step("Slice", three, ends[n], ends[n + 1], axis), split) for n in range(3))
    root = number("root", np.float32(np.sqrt(hidden // heads)))
    query = step("Div", step("Transpose", query, perm=[0, 2, 1, 3]), root)
    fits = step("MatMul", query, step("Transpose", key, perm=[0, 2, 3, 1]))
    seen = step("Cast", step("Unsqueeze", mask, number("axes", [1, 2])), to=onnx.TensorProto.FLOAT)
    hidden_from = step("Mul", step("Sub", number("one", np.float32(1)), seen), number("never", np.float32(-1e4)))
    shares = step("Softmax", step("Add", fits, hidden_from), axis=-1)
    taken = step("Transpose", step("MatMul", shares, step("Transpose", value, perm=[0, 2, 1, 3])), perm=[0, 2, 1, 3])
    made.append(helper.make_node("Reshape", [taken, number("joined", [0, 0, hidden])], list(node.output)))
    return made


def halve(full: Any) -> Any:
    """An fp32 network in fp16, for a GPU; it is asked and answers as before (int64 in, fp32 out)."""
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

    exact = [node.name for node in full.graph.node if node.name.startswith(EXACT)]
    model = convert_float_to_float16(
        full,
        keep_io_types=True,
        disable_shape_infer=True,
        op_block_list=DEFAULT_OP_BLOCK_LIST,
        node_block_list=exact,
    )
    _straighten(model.graph, exact)
    # The casts that it puts in come last, and newer releases put in the same one for each who reads it.
    _keep(model.graph, _ordered(list({node.output[0]: node for node in model.graph.node}.values())))
    return model


def _straighten(graph: Any, exact: list[str]) -> None:
    """Let exact nodes read from each other what they wrote: halving puts fp16 and back between two, which rounds."""
    written = {output for node in graph.node if node.name in exact for output in node.output}
    casts = {node.output[0]: node for node in graph.node if node.op_type == "Cast"}
    for node in graph.node:
        for place, name in enumerate(node.input):
            back = casts.get(name)
            there = casts.get(back.input[0]) if back and _becomes(back, onnx.TensorProto.FLOAT) else None
            if there and _becomes(there, onnx.TensorProto.FLOAT16) and there.input[0] in written:
                node.input[place] = there.input[0]


def _becomes(cast: Any, kind: int) -> bool:
    return any(attribute.name == "to" and attribute.i == kind for attribute in cast.attribute)


def _ordered(nodes: list[Any]) -> list[Any]:
    """Each node after those whose outputs it reads."""
    waiting = {output for node in nodes for output in node.output}
    placed: list[Any] = []
    while nodes:
        ready = [node for node in nodes if waiting.isdisjoint(node.input)]
        waiting.difference_update(output for node in ready for output in node.output)
        placed += ready
        nodes = [node for node in nodes if not waiting.isdisjoint(node.output)]
    return placed


def main(given: str, made: str, *flags: str) -> None:
    """Write the fp16 network of an int8 file; with `--plain` one for who knows ONNX's own operators only."""
    full = dequantise(onnx.load(given))
    onnx.save(halve(plain(full) if flags == ("--plain",) else full), made)


if __name__ == "__main__":
    main(*sys.argv[1:])
