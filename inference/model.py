"""A model folder as the pipeline uses it: from a snapshot to the text and the token ids that BERT reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from inference import manifest as manifests
from inference.manifest import Manifest
from inference.story import render
from inference.tokenizer import Tokenizer
from schemas.outputs import Snapshot

SHIPPED: Final = Path(__file__).parent / "models" / "footfall-bert-4"
MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"


class Model:
    """What the client side needs of a trained model; the network itself runs in Triton."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer) -> None:
        self.manifest = manifest
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path | None = None) -> "Model":
        """From a folder that `footfall train` made, by default the shipped one. `OperatorError` says what is wrong."""
        folder = folder or SHIPPED
        manifest = manifests.read(folder)
        manifests.verify(folder, manifest, TOKENIZER_FILE)
        return cls(manifest, Tokenizer.load(folder / TOKENIZER_FILE, manifest.max_tokens))

    @property
    def version(self) -> str:
        """The name under which scores tell of it."""
        return self.manifest.version

    def text(self, snapshot: Snapshot) -> str:
        """The story it reads of a snapshot."""
        return render(snapshot, self.manifest.bins)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, at most `manifest.max_tokens` each."""
        return self.tokenizer.encode(texts)
