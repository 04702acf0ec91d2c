"""What the score stage asks of a BERT wherever it runs, and the breaker that stops asking while it is broken."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Protocol

from schemas.errors import FootfallError
from schemas.outputs import Parts


class Unavailable(FootfallError):
    """BERT did not score this batch; `reason` is a metric label and the score's `fallback`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Scorer(Protocol):
    """Scores stories. `version` names the model that answers, and is empty until one has."""

    @property
    def version(self) -> str:
        """The served model."""

    async def score(self, texts: Sequence[str]) -> list[Parts]:
        """Probabilities of each text, in order; raises `Unavailable` and nothing else that is expected."""

    async def score_reviews(self, texts: Sequence[str]) -> list[float]:
        """How content each review is, 0 to 1, in order; raises `Unavailable`, also where the model reads none."""


class State(StrEnum):
    """Closed lets calls through, open does not, half-open lets one probe through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after `failures` in a row, and after a pause lets one probe find out whether to close again.

    The pause begins with `pause_s` and doubles with each probe that fails, up to `longest_s`. `clock` gives seconds and
    never goes back. Source: M. Nygard, Release It!, "Circuit Breaker".
    """

    def __init__(
        self, clock: Callable[[], float], failures: int = 3, pause_s: float = 1.0, longest_s: float = 10.0
    ) -> None:
        self._clock = clock
        self._limit = failures
        self._shortest = pause_s
        self._longest = longest_s
        self._pause = pause_s
        self._failed = 0
        self._opened: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        """Closed, open or half-open, as of now."""
        if self._opened is None:
            return State.CLOSED
        return State.HALF_OPEN if self.wait_s() == 0 else State.OPEN

    def allows(self) -> bool:
        """Whether a call may be made."""
        return self._opened is None

    def wait_s(self) -> float:
        """Seconds until a probe may be made; 0 while closed or half-open."""
        if self._opened is None:
            return 0.0
        return max(0.0, self._opened + self._pause - self._clock())

    def probe(self) -> bool:
        """Whether the caller is to make the one probe of a half-open breaker, and report how it went."""
        if self._probing or self.state is not State.HALF_OPEN:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """A call was answered; a probe that was closes the breaker."""
        if self._opened is not None and not self._probing:
            return  # An answer to a call made before it opened proves nothing about now.
        self._failed, self._opened, self._probing, self._pause = 0, None, False, self._shortest

    def failed(self) -> None:
        """A call, or the probe, failed in a way that says the server is broken."""
        if self._probing:
            self._probing = False
            self._opened = self._clock()
            self._pause = min(2 * self._pause, self._longest)
        elif self._opened is None:
            self._failed += 1
            if self._failed >= self._limit:
                self._opened = self._clock()
