"""A model folder small enough to make for each test: everything but the network, which these tests never run."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers, processors

from inference import manifest as manifests
from inference.bins import Bins
from inference.manifest import Manifest
from inference.tokenizer import Tokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "bought", "viewed", "shoes", "milk", "3", "12", "##d", ","]
BINS = Bins({"days_since_order": [1.0, 7.0, 30.0], "overdue": [0.5, 1.0]})


@pytest.fixture
def plain() -> Tokenizer:
    """A BERT tokenizer of twelve words, with no feature words yet."""
    backend = Backend(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return Tokenizer(backend, 24)


@pytest.fixture
def folder(tmp_path: Path, plain: Tokenizer) -> Path:
    """A complete model folder with two features."""
    path = tmp_path / "tiny-bert"
    path.mkdir()
    plain.extended(BINS.vocabulary()).save(path / "tokenizer.json")
    (path / "model.onnx").write_bytes(b"weights")
    Manifest(
        version=path.name,
        bins=BINS,
        max_tokens=24,
        horizons={"churn": 30, "intent": 7},
        files={name: manifests.checksum(path / name) for name in ("model.onnx", "tokenizer.json")},
        data={"source": "test", "examples": 1},
        command="footfall train",
        created="2024-01-01T00:00:00+00:00",
        metrics={},
        versions={},
    ).write(path)
    return path
