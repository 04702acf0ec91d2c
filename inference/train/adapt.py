"""What of the encoder learns: all of it, or a small addition to it (`peft`) that is merged into it at the end."""

from typing import Any, Final

from peft import AdaLoraConfig, LoraConfig, get_peft_model

from inference.train.network import Network

TARGETS: Final = ["query", "key", "value", "dense"]
RANK: Final = 8


def adapt(network: Network, method: str, steps: int) -> None:
    """Replace the encoder by one of which only an addition learns.

    lora: low-rank changes of every weight matrix (Hu et al. 2021). adalora: the same, with the rank given to where it
    tells during `steps` (Zhang et al. 2023). prefix: nothing but the soft words in front of the text (P-tuning, Liu et
    al. 2021; of encoders `peft` can train no prefix in every layer), and the numbers' path that makes them.
    """
    if method == "full":
        return
    if method == "prefix":
        network.encoder.requires_grad_(False)
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
    """Make the addition part of the encoder."""
    if hasattr(network.encoder, "merge_and_unload"):
        network.encoder = network.encoder.merge_and_unload()
