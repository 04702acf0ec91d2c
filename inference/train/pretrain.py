"""Pretraining on the shop's own language: words of stories and reviews are masked, and guessed from what is around."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional

from inference.train.batches import batches, pad
from inference.train.loop import Loop, Tell
from inference.train.network import Network
from inference.train.numbers import rows_of
from inference.train.options import Options

MASKED: Final = 0.15
# Of the masked: so many become the mask, so many another word, the others stay (Devlin et al. 2019).
HIDDEN: Final = 0.8
SWAPPED: Final = 0.1


class Guess(nn.Module):  # type: ignore[misc]
    """States of words, [words, hidden], to log odds over the vocabulary, by the encoder's own word embeddings."""

    def __init__(self, words: nn.Embedding) -> None:
        super().__init__()
        width = words.weight.shape[1]
        self.words = words
        self.transform = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(len(words.weight)))
        nn.init.eye_(self.transform.weight)
        nn.init.zeros_(self.transform.bias)

    def forward(self, states: Tensor) -> Tensor:
        """The log odds."""
        return functional.linear(self.norm(self.transform(states)), self.words.weight, self.bias)


def pretrain(
    network: Network,
    ids: Sequence[list[int]],
    special: dict[str, int],
    options: Options,
    folder: Path,
    accelerator: Accelerator,
    tell: Tell,
    log: Callable[[str, float, int], None],
) -> None:
    """Train the encoder and the soft words in place, one pass over texts that need no labels.

    `special` are the ids of [CLS], [SEP] and [MASK]. The numbers stand beside a story's words as they do later.
    """
    guess = Guess(network.words)
    dealt = batches(ids, options.batch, 1, options.seed)
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    fresh = [*network.numbers.prompts.parameters(), *(p for p in guess.parameters() if p.requires_grad)]
    network.to(accelerator.device)
    guess.to(accelerator.device)

    def backward(step: int) -> float:
        network.train()
        network.numbers.eval()
        tokens, mask = pad([ids[i] for i in dealt[step]])
        chance = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
        given, chosen = masked(tokens, mask, network.known, special, chance)
        given, mask, chosen = (t.to(accelerator.device) for t in (given, mask, chosen))
        with accelerator.autocast():
            _, prompts = network.numbers(rows_of(given, network.known) * mask)
            states, kept = network.states(given, mask, prompts)
            # The states are those of the columns that hold words: line the chosen ones up with them.
            columns = ((given < network.known) & (mask > 0)).any(0).nonzero().squeeze(1)
            here = chosen.index_select(1, columns)
            told = states[:, kept.shape[1] - here.shape[1] :][here]
            wanted = tokens.to(accelerator.device).index_select(1, columns)[here]
            loss = functional.cross_entropy(guess(told).float(), wanted) if len(wanted) else states.sum() * 0.0
        accelerator.backward(loss)
        return float(loss.item())

    loop = Loop(
        "words",
        [
            {"params": encoder, "lr": options.rate, "weight_decay": options.decay},
            {"params": fresh, "lr": options.rate_new, "weight_decay": options.decay},
        ],
        len(dealt),
        warm_up=options.warm_up,
        average=options.average,
        identity={**asdict(options), "examples": len(ids)},
        checkpoint=folder / "words.pt",
        accelerator=accelerator,
        log=log,
    )
    loop.run(backward, tell)


def masked(
    tokens: Tensor, mask: Tensor, known: int, special: dict[str, int], chance: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Tokens with some words masked, and which were chosen, [texts, tokens]; never a feature word or a special one."""
    word = (tokens < known) & (mask > 0)
    for token in special.values():
        word &= tokens != token
    chosen = word & (torch.rand(tokens.shape, generator=chance) < MASKED)
    lot = torch.rand(tokens.shape, generator=chance)
    other = torch.randint(known, tokens.shape, generator=chance)
    given = torch.where(chosen & (lot < HIDDEN), special["[MASK]"], tokens)
    given = torch.where(chosen & (lot >= HIDDEN) & (lot < HIDDEN + SWAPPED), other, given)
    return given, chosen
