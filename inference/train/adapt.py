"""What of the encoder learns: all of it, or a small addition to it (`peft`) that is merged into it at the end."""

from typing import Any, Final

import torch
from peft import AdaLoraConfig, LoraConfig, PrefixTuningConfig, TaskType, get_peft_model
from torch import Tensor, nn

from inference.train.network import Network

TARGETS: Final = ["query", "key", "value", "dense"]
RANK: Final = 8
PREFIX: Final = 8


class Prefixed(nn.Module):  # type: ignore[misc]
    """The encoder with `PREFIX` keys and values in front of every layer's, the only ones that learn.

    `peft`'s prefix tuning, but for its forward, which drops the positions that it is given. It stays beside the
    encoder: keys and values cannot be merged into weights.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.config = encoder.config
        config = PrefixTuningConfig(task_type=TaskType.FEATURE_EXTRACTION, num_virtual_tokens=PREFIX)
        self.tuned = get_peft_model(encoder, config)

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor, position_ids: Tensor) -> Any:
        """What the encoder answers."""
        texts = inputs_embeds.shape[0]
        front = (attention_mask[:, :1] * 0 + 1).expand(-1, PREFIX)
        return self.tuned.get_base_model()(
            inputs_embeds=inputs_embeds,
            attention_mask=torch.cat([front, attention_mask], dim=1),
            position_ids=position_ids,
            past_key_values=self.tuned.get_prompt(texts),
        )


def adapt(network: Network, method: str, steps: int) -> None:
    """Replace the encoder by one of which only an addition learns.

    lora: low-rank changes of every weight matrix (Hu et al. 2021). adalora: the same, with the rank given to where it
    tells during `steps` (Zhang et al. 2023). prefix: keys and values in front of every layer's (Li and Liang 2021,
    Prefix-Tuning), beside the soft words in front of the text, which always learn.
    """
    if method == "full":
        return
    if method == "prefix":
        network.encoder = Prefixed(network.encoder)
        return
    config = (
        LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=TARGETS)
        if method == "lora"
        else AdaLoraConfig(
            init_r=RANK + RANK // 2,
            target_r=RANK,
            lora_alpha=2 * RANK,
            tinit=steps // 10,
            tfinal=steps // 2,
            total_step=steps,
            target_modules=TARGETS,
        )
    )
    network.encoder = get_peft_model(network.encoder, config)


def allocate(network: Network, step: int) -> None:
    """Give the ranks out anew, where the method does; after a step's gradients are there."""
    allocating: Any = getattr(getattr(network.encoder, "base_model", None), "update_and_allocate", None)
    if allocating is not None:
        allocating(step)


def settle(network: Network) -> None:
    """Make the addition part of the encoder, and one table of the words old and new."""
    network.words = network.words.merged()
    if hasattr(network.encoder, "merge_and_unload"):
        network.encoder = network.encoder.merge_and_unload()
