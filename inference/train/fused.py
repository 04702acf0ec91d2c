"""BERT's encoder as it is exported: each layer's attention as the one operator that ONNX Runtime has for it."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from inference.train.network import Network


def fused(network: Network) -> Network:
    """The same network with fused attention; one whose encoder is no plain BERT (or has a prefix) stays as it is.

    Faster on CPUs in int8, and what CUDA has its attention kernels for. ONNX Runtime's optimiser finds attention by how
    one release of one library writes it; here it is said outright.
    """
    if type(network.encoder) is not BertModel or network.encoder.config.is_decoder:
        return network
    other = copy.copy(network)
    other._modules = {**network._modules, "encoder": Fused(network.encoder)}
    return other


class Fused(nn.Module):  # type: ignore[misc]
    """Takes and gives what `BertModel` does. The parts keep their names, by which a file is read again."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        own = copy.deepcopy(encoder)
        for layer in own.encoder.layer:
            layer.attention.self = Attention(layer.attention.self)
        self.embeddings, self.encoder = own.embeddings, own.encoder

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor, position_ids: Tensor) -> Any:
        """What the encoder answers."""
        embedded = self.embeddings(inputs_embeds=inputs_embeds, position_ids=position_ids)
        # Its layers hand the mask on as it is.
        return self.encoder(embedded, attention_mask=attention_mask.to(torch.int32))


class Attention(nn.Module):  # type: ignore[misc]
    """Attention whose query, key and value are one product."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        parts = (plain.query, plain.key, plain.value)
        self.heads = int(plain.num_attention_heads)
        self.register_buffer("weight", torch.cat([part.weight.detach().T for part in parts], dim=1))
        self.register_buffer("bias", torch.cat([part.bias.detach() for part in parts]))

    def forward(self, hidden: Tensor, attention_mask: Tensor, **_: Any) -> tuple[Tensor, None]:
        """What each word takes of all that the mask, [texts, words], lets it see."""
        return _Operator.apply(hidden, self.weight, self.bias, attention_mask, self.heads), None


class _Operator(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(_: Any, hidden: Tensor, weight: Tensor, bias: Tensor, mask: Tensor, heads: int) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (hidden @ weight + bias).chunk(3, dim=-1)
        )
        seen = mask[:, None, None, :].bool()
        told: Tensor = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return told.transpose(1, 2).flatten(2)

    @staticmethod
    def symbolic(graph: Any, hidden: Any, weight: Any, bias: Any, mask: Any, heads: int) -> Any:
        """The operator in the file."""
        told = graph.op("com.microsoft::Attention", hidden, weight, bias, mask, num_heads_i=heads)
        told.setType(hidden.type())
        return told
