"""The textbook's network out of the file that is served: the same weights, as far as int8 kept them, in fp32.

And without what the served network does to save work: its encoder reads every column that it is given, numbers' words
and padding included, as any BERT's does.
"""

from pathlib import Path

import onnx

from inference.precision import dequantise, plain


def textbook(path: Path) -> bytes:
    """The network of an ONNX file as the textbook would run it; its answers are the served one's."""
    data: bytes = plain(dequantise(onnx.load(path))).SerializeToString()
    return data
