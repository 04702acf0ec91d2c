"""Adversarial training: every batch twice, the second time with the embeddings moved where the loss grows fastest."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn


def perturbed(words: nn.Module, length: float) -> Iterator[None]:
    """Yields once; with a `length` above 0 a second time, while the embeddings of `words` are moved by that much.

    The caller runs forward and backward each time it is given the turn; gradients add up. Per text the step is its
    gradient over the gradient's norm (fast gradient method: Miyato et al. 2017, Adversarial Training for Text).
    """
    if length <= 0:
        yield
        return
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[-1]

    hook = words.register_forward_hook(keep)
    yield
    hook.remove()
    gradient = seen[-1].grad
    assert gradient is not None, "the caller runs backward"
    norm = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]
    step = length * gradient / norm
    hook = words.register_forward_hook(lambda _module, _inputs, output: output + step)
    yield
    hook.remove()
