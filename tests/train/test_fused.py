"""Fused attention says what attention says, and is left alone where it would not."""

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from inference.bins import Bins
from inference.train.adapt import adapt
from inference.train.batches import pad
from inference.train.fused import fused
from inference.train.network import Network
from inference.train.numbers import Numbers
from inference.train.words import Words

BINS = Bins({"overdue": [0.5, 1.0]})
KNOWN = 40


@pytest.fixture
def network() -> Network:
    """Two layers by chance, with heads that pass on what they find."""
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=KNOWN, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    encoder = BertModel(config, add_pooling_layer=False)
    generator = torch.Generator().manual_seed(5)
    network = Network(encoder, Words(encoder.get_input_embeddings(), 0, generator), Numbers(BINS, 3, 32, generator), 3)
    torch.nn.init.normal_(network.head.weight)
    network.eval()
    return network


def test_the_answers_are_the_same(network: Network) -> None:
    texts = [[2, KNOWN, *range(5, 30), 3], [2, KNOWN + 2, 7, 3], [KNOWN + 1], [2, 9, 8, 7, 6, 3]]
    other = fused(network)
    assert type(other.encoder) is not type(network.encoder)
    with torch.no_grad():
        assert other(*pad(texts)).numpy() == pytest.approx(network(*pad(texts)).numpy(), abs=1e-5)


def test_the_network_itself_is_not_changed(network: Network) -> None:
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    fused(network)
    assert isinstance(network.encoder, BertModel)
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[name].numpy(), weight.numpy()) for name, weight in before.items())


def test_an_encoder_with_a_prefix_stays_as_it_is(network: Network) -> None:
    adapt(network, "prefix", 1)
    assert fused(network) is network
