"""Fine-tuning: AdamW with warm-up, early stopping on the validation part, and a checkpoint to go on from."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch.nn import functional

from inference.train.network import Network

Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a run may choose. Sizes in examples; rates are the highest, reached after the warm-up."""

    examples: int = 12_000
    validation: int = 1_000
    test: int = 20_000
    epochs: int = 1
    batch: int = 16
    rate: float = 1e-4
    rate_new: float = 2e-3
    decay: float = 0.01
    warm_up: float = 0.08
    checks: int = 3
    patience: int = 4
    frozen_layers: int = 3
    features: int = 20
    buckets: int = 16
    max_tokens: int = 64
    threads: int = 2
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of each text, and its labels, [texts, 2]."""

    ids: list[list[int]]
    labels: "np.ndarray[tuple[int, int], np.dtype[np.float32]]"


def fit(network: Network, train: Encoded, validation: Encoded, options: Options, checkpoint: Path, tell: Tell) -> int:
    """Train in place and leave the best weights in the network; gives the steps taken.

    `tell` hears of (steps done, steps in all, words). An interrupted run goes on from `checkpoint` when its options and
    data sizes are the same.
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    batches = [b for epoch in range(options.epochs) for b in _batches(train.ids, options.batch, options.seed + epoch)]
    run = _Run(network, options, len(batches))
    run.resume(checkpoint)
    every = max(1, len(batches) // (options.checks * options.epochs))
    words = ""
    while run.done < len(batches) and run.since < options.patience:
        rows = batches[run.done]
        run.step([train.ids[i] for i in rows], train.labels[rows])
        if run.done % every == 0 or run.done == len(batches):
            auc = float(np.mean(aucs(predict(network, validation.ids), validation.labels)))
            run.judge(auc)
            run.save(checkpoint)
            words = f"validation {auc:.4f}, best {run.best:.4f}"
        tell(run.done, len(batches), words)
    network.load_state_dict(run.kept, strict=False)
    network.eval()
    return run.done


class _Run:
    """What a run must remember to go on after an interruption."""

    def __init__(self, network: Network, options: Options, steps: int) -> None:
        self.done, self.since, self.best = 0, 0, 0.0
        self.kept = _trained(network)
        self._network = network
        self._identity = {**asdict(options), "steps": steps}
        self._optimiser = _optimiser(network, options)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, _warm_up(round(options.warm_up * steps), steps)
        )

    def step(self, ids: Sequence[list[int]], labels: "np.ndarray[Any, Any]") -> None:
        """Learn one batch."""
        self._network.train()
        loss = functional.binary_cross_entropy_with_logits(self._network(*pad(ids)), torch.from_numpy(labels))
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._optimiser.step()
        self._schedule.step()
        self.done += 1

    def judge(self, auc: float) -> None:
        """Keep the weights if they are the best so far."""
        self.since += 1
        if auc > self.best:
            self.best, self.since, self.kept = auc, 0, _trained(self._network)

    def save(self, path: Path) -> None:
        """Write all there is, whole or not at all."""
        state = {
            "identity": self._identity,
            "counts": (self.done, self.since, self.best),
            "kept": self.kept,
            "network": _trained(self._network),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from what a run with the same options left."""
        if not path.is_file():
            return
        state = torch.load(path)
        if state["identity"] != self._identity:
            return
        self.done, self.since, self.best = state["counts"]
        self.kept = state["kept"]
        self._network.load_state_dict(state["network"], strict=False)
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])


def predict(network: Network, ids: Sequence[list[int]], batch: int = 64) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Log odds of each text, [texts, 2], in order."""
    network.eval()
    odds = np.zeros((len(ids), 2))
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        with torch.no_grad():
            odds[rows] = network(*pad([ids[i] for i in rows])).numpy()
    return odds


def pad(ids: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask, [texts, longest]."""
    longest = max(map(len, ids))
    tokens = torch.zeros(len(ids), longest, dtype=torch.int64)
    mask = torch.zeros_like(tokens)
    for row, sequence in enumerate(ids):
        tokens[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    return tokens, mask


def aucs(scores: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]") -> list[float]:
    """ROC AUC per head."""
    return [float(roc_auc_score(labels[:, head], scores[:, head])) for head in range(labels.shape[1])]


def _batches(ids: Sequence[list[int]], size: int, seed: int) -> Iterator[list[int]]:
    """All rows once, in random batches of texts of like length: sorted within windows of 32 batches."""
    generator = random.Random(seed)
    order = list(range(len(ids)))
    generator.shuffle(order)
    batches = []
    for start in range(0, len(order), 32 * size):
        window = sorted(order[start : start + 32 * size], key=lambda i: len(ids[i]))
        batches += [window[first : first + size] for first in range(0, len(window), size)]
    generator.shuffle(batches)
    return iter(batches)


def _optimiser(network: Network, options: Options) -> torch.optim.Optimizer:
    new = [
        p for n, p in network.named_parameters() if p.requires_grad and (n.startswith("head") or n.endswith(".added"))
    ]
    fresh = {id(p) for p in new}
    old = [p for p in network.parameters() if p.requires_grad and id(p) not in fresh]
    groups = [{"params": old, "lr": options.rate}, {"params": new, "lr": options.rate_new}]
    return torch.optim.AdamW(groups, weight_decay=options.decay)


def _warm_up(rising: int, steps: int) -> Callable[[int], float]:
    return lambda step: min((step + 1) / max(1, rising), max(0.02, (steps - step) / max(1, steps - rising)))


def _trained(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.named_parameters() if value.requires_grad}
