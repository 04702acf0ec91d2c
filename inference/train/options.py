"""What a training run may choose."""

from dataclasses import dataclass
from typing import Final

METHODS: Final = ("full", "lora", "adalora", "prefix")


@dataclass(frozen=True, slots=True)
class Options:
    """Sizes in examples; rates are the highest, reached after the warm-up. `examples` and `reviews` bound what the
    encoder reads; the numbers' path reads all.

    `method` is full, lora, adalora or prefix; `layers` the encoder's lowest that are kept (None: all); `fgm` the length
    of the adversarial step in the embeddings (0: none); `accumulate` the batches of one step; `balance` weighs a head's
    two classes alike in the loss (calibration then mends the probabilities); `teacher` is its share in the labels (0:
    none, and stories without a label teach nothing); `precision` is no, bf16 or fp16 (None: bf16 where there is a GPU
    that has it, else fp16 there, and no on CPUs); `new_words` the most characters, common in the reviews and unknown to
    the pretrained BERT, that it learns.
    """

    examples: int | None = 12_000
    reviews: int | None = 4_000
    validation: int = 2_000
    test: int | None = None
    validate_by: str = "time"
    epochs: int = 1
    batch: int = 16
    accumulate: int = 1
    method: str = "full"
    layers: int | None = 3
    frozen_layers: int = 0
    rate: float = 1e-4
    rate_new: float = 1e-3
    decay: float = 0.01
    warm_up: float = 0.08
    average: float = 0.99
    checks: int = 4
    patience: int = 4
    fgm: float = 0.0
    balance: bool = False
    teacher: float = 0.5
    pretrain: int = 0
    numbers_epochs: int = 6
    numbers_batch: int = 512
    numbers_rate: float = 3e-3
    numbers_decay: float = 0.02
    features: int = 64
    buckets: int = 48
    story_tokens: int = 40
    new_words: int = 1_500
    precision: str | None = None
    threads: int = 2
    seed: int = 7
