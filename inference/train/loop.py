"""A training loop that can be killed: AdamW, warm-up, averaged weights, early stopping, and checkpoints."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

Tell = Callable[[str, int, int, str], None]
SAVE_S = 60.0


class Loop:
    """Trains the given parameters for so many steps; what it does is the same however often it is interrupted.

    The weights judged and kept are exponential moving averages of those trained (Izmailov et al. 2018 average
    likewise). `identity` tells a run from others: a checkpoint of another one is not gone on from. `log` hears (name,
    value, step).
    """

    def __init__(
        self,
        name: str,
        groups: Sequence[dict[str, Any]],
        steps: int,
        *,
        warm_up: float,
        average: float,
        identity: dict[str, Any],
        checkpoint: Path,
        accelerator: Accelerator,
        log: Callable[[str, float, int], None] = lambda *_: None,
    ) -> None:
        self.name, self.steps, self.done = name, steps, 0
        self._parameters = [p for group in groups for p in group["params"]]
        self._average = [p.detach().clone() for p in self._parameters]
        self._kept: list[Tensor] | None = None
        self._best, self._since = float("-inf"), 0
        self._decay = average
        self._identity = {**identity, "stage": name, "steps": steps}
        self._path = checkpoint
        self._accelerator = accelerator
        self._log = log
        self._optimiser = accelerator.prepare_optimizer(torch.optim.AdamW(groups))
        rising = max(1, round(warm_up * steps))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            getattr(self._optimiser, "optimizer", self._optimiser),
            lambda step: min((step + 1) / rising, max(0.01, (steps - step) / max(1, steps - rising))),
        )
        self._saved = time.monotonic()

    def run(
        self,
        backward: Callable[[int], float],
        tell: Tell,
        judge: Callable[[], float] | None = None,
        every: int = 0,
        patience: int = 0,
        stepped: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Take the steps; `backward` leaves step n's gradients and gives its loss, `judge` says how good weights are.

        Judged every `every` steps and at the end; stopped when `patience` judgements brought nothing better.
        `stepped` hears of each step while its gradients are still there. Leaves the best averaged weights in the
        parameters (without `judge`, the last).
        """
        self._resume()
        words = ""
        while self.done < self.steps and not (patience and self._since >= patience):
            loss = backward(self.done)
            self._accelerator.clip_grad_norm_(self._parameters, 1.0)
            self._optimiser.step()
            stepped(self.done)
            self._optimiser.zero_grad()
            self._schedule.step()
            self.done += 1
            self._smooth()
            self._log(f"{self.name}/loss", loss, self.done)
            if judge is not None and ((every and self.done % every == 0) or self.done == self.steps):
                found = self._judged(judge)
                words = f"validation {found:.4f}, best {self._best:.4f}"
                self._log(f"{self.name}/validation", found, self.done)
                self._save()
            elif time.monotonic() - self._saved > SAVE_S:
                self._save()
            tell(self.name, self.done, self.steps, words)
        self._save()
        self._put(self._kept if self._kept is not None else self._average)

    def _smooth(self) -> None:
        decay = min(self._decay, self.done / (self.done + 9))
        with torch.no_grad():
            torch._foreach_lerp_(self._average, [p.detach() for p in self._parameters], 1 - decay)

    def _judged(self, judge: Callable[[], float]) -> float:
        trained = [p.detach().clone() for p in self._parameters]
        self._put(self._average)
        found = judge()
        self._since += 1
        if found > self._best:
            self._best, self._since, self._kept = found, 0, [a.clone() for a in self._average]
        self._put(trained)
        return found

    def _put(self, values: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._parameters, values, strict=True):
                parameter.copy_(value)

    def _save(self) -> None:
        """Write all there is, whole or not at all."""
        self._saved = time.monotonic()
        if not self._accelerator.is_main_process:
            return
        state = {
            "identity": self._identity,
            "counts": (self.done, self._since, self._best),
            "trained": [p.detach() for p in self._parameters],
            "average": self._average,
            "kept": self._kept,
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._path)

    def _resume(self) -> None:
        """Go on from what the same run left."""
        if not self._path.is_file():
            return
        state = torch.load(self._path, map_location="cpu")
        if state["identity"] != self._identity:
            return
        self.done, self._since, self._best = state["counts"]
        self._put(state["trained"])
        self._average, self._kept = state["average"], state["kept"]
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
