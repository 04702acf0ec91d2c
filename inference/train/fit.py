"""Fitting in two stages: the numbers' path on all examples, then the encoder on what the numbers do not tell."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from sklearn.metrics import roc_auc_score
from torch import Tensor

from inference.train.adapt import adapt, allocate, settle
from inference.train.adversarial import perturbed
from inference.train.batches import Encoded, Labels, batches, pad
from inference.train.loop import Loop, Tell
from inference.train.loss import Loss
from inference.train.network import PARTS, Network
from inference.train.numbers import rows_of
from inference.train.options import Options

Log = Callable[[str, float, int], None]


def fit_numbers(
    network: Network, train: Encoded, options: Options, heads: Sequence[str], folder: Path, tell: Tell, log: Log
) -> None:
    """Train the numbers' members, each for itself, on every example that has numbers; the encoder takes no part."""
    rows, labels = _numbers(network, train)
    numbers = network.numbers.train()
    _begin(numbers.offset, labels, heads)
    order = torch.Generator().manual_seed(options.seed)
    size = options.numbers_batch
    dealt = [p for _ in range(options.numbers_epochs) for p in torch.randperm(len(rows), generator=order).split(size)]
    loss = Loss(heads, train.labels, balanced=options.balance)
    learning = [p for name, p in numbers.named_parameters() if not name.startswith("prompts")]

    def backward(step: int) -> float:
        answers, _ = numbers(rows[dealt[step]])
        found = loss(answers, labels[dealt[step]].expand(len(answers), -1, -1))
        found.backward()
        return float(found.item())

    loop = Loop(
        "numbers",
        [{"params": learning, "lr": options.numbers_rate, "weight_decay": options.numbers_decay}],
        len(dealt),
        warm_up=0.1,
        average=options.average,
        identity={**asdict(options), "examples": len(rows)},
        checkpoint=folder / "numbers.pt",
        accelerator=Accelerator(cpu=True),
        log=log,
    )
    loop.run(backward, tell)
    numbers.merge(rows)
    numbers.eval()


def fit(
    network: Network,
    train: Encoded,
    validation: Encoded,
    options: Options,
    heads: Sequence[str],
    folder: Path,
    accelerator: Accelerator,
    tell: Tell,
    log: Log,
) -> int:
    """Train encoder, soft words and heads in place, the numbers' members as they are; gives the steps taken.

    What is left are the weights that were best on the validation examples.
    """
    dealt = batches(train.ids, options.batch, options.epochs, options.seed)
    share = accelerator.num_processes * options.accumulate
    steps = len(dealt) // share
    adapt(network, options.method, steps)
    learning = _thawed(network)
    loss = Loss(heads, train.labels, balanced=options.balance)
    module = accelerator.prepare_model(network) if accelerator.num_processes > 1 else network.to(accelerator.device)

    def backward(step: int) -> float:
        network.train()
        network.numbers.eval()
        total = 0.0
        for turn in range(options.accumulate):
            batch = dealt[step * share + turn * accelerator.num_processes + accelerator.process_index]
            ids, mask = (t.to(accelerator.device) for t in pad([train.ids[i] for i in batch]))
            labels = torch.from_numpy(train.labels[batch]).to(accelerator.device)
            for _ in perturbed(network.words, options.fgm):
                with accelerator.autocast():
                    found = loss(module(ids, mask).float(), labels) / options.accumulate
                accelerator.backward(found)
                total += found.item()
        return total

    loop = Loop(
        "text",
        [
            {"params": learning["old"], "lr": options.rate, "weight_decay": options.decay},
            {"params": learning["new"], "lr": options.rate_new, "weight_decay": options.decay},
        ],
        steps,
        warm_up=options.warm_up,
        average=options.average,
        identity={**asdict(options), "examples": len(train.ids)},
        checkpoint=folder / "text.pt",
        accelerator=accelerator,
        log=log,
    )
    every = max(1, steps // (options.checks * options.epochs))
    loop.run(
        backward,
        tell,
        lambda: quality(predict(network, validation.ids), validation.labels, heads),
        every,
        options.patience,
        lambda step: allocate(network, step),
    )
    settle(network)
    network.eval()
    return loop.done


def predict(
    network: Network, ids: Sequence[list[int]], batch: int = 64, *, parts: bool = False
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """The network's answers to each text, [texts, heads], in order; with `parts`, [texts, heads, `PARTS`]."""
    network.eval()
    device = next(network.parameters()).device
    heads = network.head.out_features
    answers = np.zeros((len(ids), heads, PARTS) if parts else (len(ids), heads))
    ask = network.parts if parts else network
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        with torch.no_grad():
            tokens, mask = pad([ids[i] for i in rows])
            answers[rows] = ask(tokens.to(device), mask.to(device)).cpu().numpy()
    return answers


def quality(answers: "np.ndarray[Any, Any]", labels: Labels, heads: Sequence[str]) -> float:
    """One number to stop by: the mean over heads of the ROC AUC; of value, of whether she spent above the median."""
    told = [column for column in range(len(heads)) if not np.isnan(labels[:, column]).all()]
    return float(np.mean([auc(answers[:, column], labels[:, column], heads[column]) for column in told]))


def auc(answers: "np.ndarray[Any, Any]", labels: "np.ndarray[Any, Any]", head: str) -> float:
    """ROC AUC over what is known; of value, as how well amounts above the median are told from others."""
    known = ~np.isnan(labels)
    if not known.any():
        return 0.5
    wanted = labels[known] > (np.median(labels[known]) if head == "value" else 0.5)
    return float(roc_auc_score(wanted, answers[known])) if 0 < wanted.sum() < len(wanted) else 0.5


def _thawed(network: Network) -> dict[str, list[Tensor]]:
    """What learns beside the text: all of the encoder that is not frozen, and what is new; not the numbers' members."""
    for name, parameter in network.numbers.named_parameters():
        parameter.requires_grad_(name.startswith("prompts"))
    learning = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    new = ("head.", "numbers.", "words.", "encoder.tuned.prompt_encoder.")
    return {
        "old": [p for name, p in learning if not name.startswith(new)],
        "new": [p for name, p in learning if name.startswith(new)],
    }


def _numbers(network: Network, train: Encoded) -> tuple[Tensor, Tensor]:
    """Table rows, [texts, features], and labels of the examples that have numbers."""
    width = max(sum(i >= network.known for i in ids) for ids in train.ids[:1000])
    kept = [n for n, ids in enumerate(train.ids) if sum(i >= network.known for i in ids) == width]
    words = [[i for i in train.ids[n] if i >= network.known] for n in kept]
    return rows_of(torch.tensor(words), network.known), torch.from_numpy(train.labels[kept])


def _begin(offset: Tensor, labels: Tensor, heads: Sequence[str]) -> None:
    """Begin at the answer that is right for nobody and on average for all."""
    for column, head in enumerate(heads):
        known = labels[:, column][~torch.isnan(labels[:, column])]
        if len(known):
            mean = known.mean().clamp(0.01, 0.99) if head != "value" else known.mean()
            with torch.no_grad():
                offset[column] = mean if head == "value" else torch.logit(mean)
