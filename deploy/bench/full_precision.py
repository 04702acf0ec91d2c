"""The fp32 network out of the int8 file that is served: the textbook has the same weights, as far as int8 kept them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper


def dequantise(path: Path) -> bytes:
    """An ONNX file whose products of matrices are in int8 (`quantize_dynamic`), with ordinary fp32 products instead.

    Each chain DynamicQuantizeLinear → MatMulInteger → Cast → Mul by the scales becomes one MatMul with the weight that
    the integers stand for. Embeddings stay int8 tables that are looked up and then scaled: that costs next to nothing.
    """
    model = onnx.load(path)
    graph = model.graph
    tables = {table.name: numpy_helper.to_array(table) for table in graph.initializer}
    made = {output: node for node in graph.node for output in node.output}
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    nodes: list[tuple[Any, Any]] = []
    dropped: set[int] = set()
    for node in graph.node:
        if node.op_type != "MatMulInteger":
            continue
        (cast,) = readers[node.output[0]]
        (scaled,) = readers[cast.output[0]]
        factor = next(name for name in scaled.input if name != cast.output[0])
        scale = next(name for name in made[factor].input if name in tables)
        weight = (tables[node.input[1]].astype(np.float32) - tables[node.input[3]]) * tables[scale]
        name = f"{node.input[1]}_fp32"
        graph.initializer.append(numpy_helper.from_array(weight.astype(np.float32), name))
        source = made[node.input[0]].input[0]
        nodes.append((scaled, onnx.helper.make_node("MatMul", [source, name], list(scaled.output), name=name)))
        dropped.update(id(gone) for gone in (node, cast, made[factor], made[node.input[0]]))
    products = {id(old): new for old, new in nodes}
    kept = [products.get(id(node), node) for node in graph.node if id(node) not in dropped]
    del graph.node[:]
    graph.node.extend(kept)
    data: bytes = model.SerializeToString()
    return data
