"""Words that the pretrained BERT does not know: which to add, and their embeddings beside the pretrained ones."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn

from inference.tokenizer import Tokenizer

# What is rarer in the texts is not learned.
FEWEST: Final = 20


def unknown(texts: Iterable[str], tokenizer: Tokenizer, most: int) -> list[str]:
    """Characters that are words by themselves (Chinese, Japanese) and that the tokenizer lacks, the commonest first.

    An English BERT has about 200 Chinese characters: of three in four in a review it reads that something stands there.
    """
    counts = Counter(character for text in texts for character in text)
    return [
        character
        for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if count >= FEWEST and unicodedata.category(character) == "Lo" and tokenizer.id(character) is None
    ][:most]


class Words(nn.Module):  # type: ignore[misc]
    """Embeddings of ids: those of `more` new words, which come after all others, learn, and the others do not."""

    def __init__(self, pretrained: nn.Embedding, more: int, generator: torch.Generator) -> None:
        super().__init__()
        known, width = pretrained.weight.shape
        self.pretrained = pretrained.requires_grad_(False)
        self.new = nn.Embedding(more, width)
        nn.init.normal_(self.new.weight, std=float(pretrained.weight.std()), generator=generator)
        self.known = int(known)

    @property
    def weight(self) -> Tensor:
        """All embeddings, [words, width]."""
        return torch.cat([self.pretrained.weight, self.new.weight])

    def forward(self, ids: Tensor) -> Tensor:
        """The embeddings, [..., width]."""
        old = self.pretrained(ids.clamp(max=self.known - 1))
        if not len(self.new.weight):
            return old
        return torch.where((ids < self.known).unsqueeze(-1), old, self.new((ids - self.known).clamp(min=0)))

    def merged(self) -> Any:
        """One embedding of them all."""
        return nn.Embedding.from_pretrained(self.weight.detach())
