"""What was said to a customer, and what she wants to hear: the state of the decisions, and its record."""

from typing import Final

import msgspec
from msgspec import Struct

from online.uplift import Trial
from schemas.features import DAY_MS
from schemas.outputs import Outcome

WEEK_MS: Final = 7 * DAY_MS
SEEN: Final = 16
UNSUBSCRIBED: Final = "unsubscribed"
SUBSCRIBED: Final = "subscribed"
EVERY: Final = ""
# What staff do for her is no advertising: who wants no more of that still gets an answer to her complaint.
SERVICE: Final = "service"
# Beside what was said, under a key that no customer has: what the shop's monitor of shifts knows.
MONITOR: Final = b""


class Last(Struct, array_like=True, frozen=True):
    """What was said of one kind: when last (None: never), and whether it may fire at the next high mark."""

    at: int | None = None
    armed: bool = True


class Spoken(Struct, array_like=True, frozen=True):
    """One alert: when and of which kind."""

    at: int
    kind: str


class Said(Struct, frozen=True):
    """What was said to one customer: each kind's last, the alerts of the last seven days, the newest scores decided.

    `seen` are ids of the scores at `at`, the newest score time decided on: a score from before is history that was
    decided on already, or came too late to speak about, and changes nothing. `refused` are channels that she wants
    nothing by (`EVERY` for all), `trials` what came of each kind. A record of before these has none of them.
    """

    kinds: dict[str, Last] = {}
    at: int = -1
    seen: list[str] = []
    spoken: list[Spoken] = []
    refused: list[str] = []
    trials: dict[str, Trial] = {}

    def lately(self, at: int) -> list[Spoken]:
        """The alerts of the last seven days, which are all that the caps ask for."""
        return [s for s in self.spoken if s.at > at - WEEK_MS]

    def today(self, at: int, kind: str = "") -> int:
        """Alerts (of a kind, if one is named) on the UTC day of `at`."""
        return sum(s.at // DAY_MS == at // DAY_MS and kind in ("", s.kind) for s in self.spoken)

    def week(self, at: int) -> int:
        """Alerts within the seven days before `at`."""
        return len(self.lately(at))

    def accepts(self, channel: str) -> bool:
        """Whether she may be spoken to by a channel."""
        return channel not in self.refused and (channel == SERVICE or EVERY not in self.refused)


def hear(said: Said, outcome: Outcome) -> Said:
    """What she wants after an outcome: `unsubscribed` ends its channel (none named: all), `subscribed` opens it.

    Any other outcome leaves `said` as it is.
    """
    channel = outcome.channel
    if outcome.what == UNSUBSCRIBED and channel not in said.refused:
        return msgspec.structs.replace(said, refused=[*said.refused, channel])
    if outcome.what == SUBSCRIBED:
        kept = [] if channel == EVERY else [refused for refused in said.refused if refused != channel]
        return msgspec.structs.replace(said, refused=kept)
    return said


def encode_said(said: Said) -> bytes:
    """The value for the `decisions` topic."""
    return msgspec.msgpack.encode(said)


def decode_said(raw: bytes) -> Said:
    """A `Said` from the `decisions` topic."""
    return msgspec.msgpack.decode(raw, type=Said)
