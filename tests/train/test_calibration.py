"""Calibration: few customers move little, many reviews as much as they say, and the latest days decide the level."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logit
from transformers import BertConfig, BertModel

from inference.bins import Bins
from inference.train.batches import Encoded
from inference.train.calibrate import BELIEF, calibrate, level
from inference.train.fit import predict
from inference.train.network import Network
from inference.train.numbers import Numbers
from inference.train.words import Words

BINS = Bins({"overdue": [0.5, 1.0]})
HEADS = ("churn", "intent", "sentiment")
KNOWN = 20


@pytest.fixture
def network() -> Network:
    """A network that has learned nothing but to say 0 in log odds."""
    config = BertConfig(
        vocab_size=KNOWN, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    generator = torch.Generator().manual_seed(1)
    encoder = BertModel(config, add_pooling_layer=False)
    words = Words(encoder.get_input_embeddings(), 0, generator)
    network = Network(encoder, words, Numbers(BINS, len(HEADS), 16, generator), len(HEADS))
    network.eval()
    return network


def told(many: int, share: float) -> Encoded:
    """As many texts of one number and one word, of all of whose labels `share` are true."""
    ids = [[2, KNOWN + n % 4, 5 + n % 7, 3] for n in range(many)]
    labels = np.tile((np.arange(many) < share * many).astype(np.float32)[:, None], (1, len(HEADS)))
    return Encoded(ids, labels)


def test_few_customers_move_what_they_do_by_little_and_reviews_by_all(network: Network) -> None:
    calibrate(network, told(200, 0.9), HEADS)
    churn, intent, sentiment = network.offset.tolist()
    # 80 more came true than not thought; each moves the mean by as much as all believe in it.
    assert churn == intent == pytest.approx(80 / ((BELIEF + 200) / 4), rel=0.05)
    assert sentiment == pytest.approx(logit(0.9), abs=0.01)


def test_the_latest_shares_decide_the_level(network: Network) -> None:
    latest = told(BELIEF, 0.3)
    with torch.no_grad():
        network.numbers.out.normal_(0, 1.0, generator=torch.Generator().manual_seed(2))
    level(network, latest, HEADS)
    shares = expit(predict(network, latest.ids)).mean(axis=0)
    assert shares[:2] == pytest.approx([0.3, 0.3], abs=1e-4)
    assert network.offset[2] == 0


def test_too_few_of_the_latest_move_nothing(network: Network) -> None:
    level(network, told(BELIEF - 1, 0.3), HEADS)
    assert (network.offset == 0).all()
