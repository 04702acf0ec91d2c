"""Champion and challengers of one target: who serves, by rule on evidence, with a record of every change."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from online.metrics import log_loss

ENSEMBLE: Final = "ensemble"
NAMES: Final = (ENSEMBLE, "bert", "online", "newton", "linear", "forest", "renewal")
# Evidence is the champion's log loss less a candidate's on the same examples, as mean of a block of so many: examples
# of one customer lie close together and say the same, blocks are nearly independent.
BLOCK: Final = 250
BLOCKS: Final = 8
LEAST: Final = 4
SURE: Final = 3.5
DOUBTFUL: Final = 1.5
MARGIN: Final = 0.002
BARRED: Final = 24
RECORDS: Final = 32


class Change(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change: `swap` or `roll back`, at what time (epoch ms) and example, for how much less log loss (`bound`: at
    least so much)."""

    what: str
    at: int
    learned: int
    before: str
    after: str
    gain: float
    bound: float


class _State(Struct, kw_only=True, forbid_unknown_fields=True):
    champion: str
    former: str
    learned: int
    swaps: int
    rolled_back: int
    open: dict[str, tuple[int, float]]
    closed: dict[str, list[float]]
    barred: dict[str, int]
    changes: list[Change]


class Contest:
    """A candidate takes over when its lower confidence bound beats the champion by `MARGIN`.

    The one it took over from is watched: with less evidence than a swap needs it comes back, and the candidate that
    failed is barred for `BARRED` blocks.
    """

    def __init__(self) -> None:
        self._state = _State(
            champion=ENSEMBLE, former="", learned=0, swaps=0, rolled_back=0, open={}, closed={}, barred={}, changes=[]
        )

    @property
    def champion(self) -> str:
        """Who serves."""
        return self._state.champion

    @property
    def counts(self) -> dict[str, float]:
        """Swaps and roll-backs so far."""
        return {"swaps": float(self._state.swaps), "rolled_back": float(self._state.rolled_back)}

    @property
    def changes(self) -> list[Change]:
        """The newest changes, oldest first."""
        return list(self._state.changes)

    def learn(self, said: Mapping[str, float], label: bool, at: int) -> Change | None:
        """Take in what each candidate said of one example, and its outcome; a change that follows from it."""
        state = self._state
        state.learned += 1
        if state.champion in said:
            served = log_loss(label, said[state.champion])
            for name in NAMES:
                if name in said and name != state.champion:
                    count, total = state.open.get(name, (0, 0.0))
                    state.open[name] = (count + 1, total + served - log_loss(label, said[name]))
        full = [name for name, (count, _) in state.open.items() if count >= BLOCK]
        for name in full:
            count, total = state.open.pop(name)
            state.closed[name] = [*state.closed.get(name, []), total / count][-BLOCKS:]
        return self._judge(at) if full else None

    def _judge(self, at: int) -> Change | None:
        state = self._state
        state.barred = {name: left - 1 for name, left in state.barred.items() if left > 1}
        if state.former and len(state.closed.get(state.former, ())) >= LEAST:
            gain, bound = _bound(state.closed[state.former], DOUBTFUL)
            if bound > 0.0:
                return self._change("roll back", state.former, gain, bound, at)
            if len(state.closed[state.former]) == BLOCKS:
                state.former = ""
        able = [name for name, blocks in state.closed.items() if len(blocks) >= LEAST and name not in state.barred]
        for gain, bound, name in sorted(((*_bound(state.closed[n], SURE), n) for n in able), reverse=True):
            if bound > MARGIN:
                return self._change("swap", name, gain, bound, at)
        return None

    def _change(self, what: str, to: str, gain: float, bound: float, at: int) -> Change:
        state = self._state
        change = Change(
            what=what, at=at, learned=state.learned, before=state.champion, after=to, gain=gain, bound=bound
        )
        if what == "swap":
            state.swaps += 1
            state.former = state.champion
        else:
            state.rolled_back += 1
            state.barred[state.champion] = BARRED
            state.former = ""
        state.champion, state.open, state.closed = to, {}, {}
        state.changes = [*state.changes, change][-RECORDS:]
        return change

    def dump(self) -> dict[str, Any]:
        """The state for JSON."""
        found: dict[str, Any] = msgspec.to_builtins(self._state)
        return found

    @classmethod
    def load(cls, state: object) -> "Contest":
        """A contest of `dump`'s state; raises ValueError for anything else."""
        try:
            held = msgspec.convert(state, _State)
        except msgspec.ValidationError as error:
            raise ValueError(f"not a contest's state: {error}") from error
        named = {held.champion, *held.open, *held.closed, *held.barred} | ({held.former} - {""})
        numbers = [total for _, total in held.open.values()] + [x for blocks in held.closed.values() for x in blocks]
        if not named <= set(NAMES) or not all(abs(number) < 1e6 for number in numbers):
            raise ValueError("the contest's state has names or numbers out of range")
        if any(len(b) > BLOCKS for b in held.closed.values()) or len(held.changes) > RECORDS:
            raise ValueError("the contest's state is too long")
        if min(held.learned, held.swaps, held.rolled_back, *(count for count, _ in held.open.values()), 0) < 0:
            raise ValueError("the contest's state has a negative count")
        contest = cls()
        contest._state = held
        return contest


def _bound(blocks: list[float], deviations: float) -> tuple[float, float]:
    mean = sum(blocks) / len(blocks)
    var = sum((x - mean) ** 2 for x in blocks) / (len(blocks) - 1)
    return mean, mean - deviations * (var / len(blocks)) ** 0.5
