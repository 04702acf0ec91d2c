"""The textbook's network out of the file that is served: the same weights, as far as int8 kept them, in fp32.

And without what the served network does to save work: its encoder reads every column that it is given, numbers' words
and padding included, as any BERT's does.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper


def textbook(path: Path) -> bytes:
    """The network of an ONNX file as the textbook would run it; its answers are the served one's."""
    model = dequantise(onnx.load(path))
    graph = model.graph
    # Columns in which nobody has a word are the zeros of a sum: with one more there are none.
    (found,) = (node for node in graph.node if node.op_type == "NonZero")
    one = numpy_helper.from_array(np.array(1, dtype=np.int64), "one_more")
    graph.initializer.append(one)
    place = next(number for number, node in enumerate(graph.node) if node is found)
    graph.node.insert(place, onnx.helper.make_node("Add", [found.input[0], one.name], ["every_column"]))
    found.input[0] = "every_column"
    data: bytes = model.SerializeToString()
    return data


def dequantise(model: Any) -> Any:
    """A network whose products of matrices are in int8 (`quantize_dynamic`), with ordinary fp32 products instead.

    Each chain DynamicQuantizeLinear → MatMulInteger → Cast → Mul by the scales becomes one MatMul with the weight that
    the integers stand for. Embeddings stay int8 tables that are looked up and then scaled: that costs next to nothing.
    """
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
    return model
