"""Timers make silence visible: what is due for a profile, and when, as a function of its state alone.

`Profile.fired` is the time of the last timer that fired; a timer is due once the clock reaches it, fires once, and a
new behaviour sets later ones. So timers need no store of their own: after a restart they follow from the profiles.
"""

from dataclasses import dataclass
from typing import NamedTuple

from schemas.features import DAY_MS
from stream.features import derive
from stream.features.profile import Profile

SILENCES = (7, 14, 30, 60)
OVERDUE = 1.5
EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Delays:
    """How long each silence must last, in ms."""

    session_gap: int = 1_800_000
    cart_abandoned: int = 3_600_000
    expiry: int = 1_095 * DAY_MS


class Timer(NamedTuple):
    """A silence that becomes visible at `due` (ms)."""

    due: int
    kind: str


def pending(profile: Profile, delays: Delays) -> list[Timer]:
    """The timers that have not fired, the earliest first; several may be due at the same time.

    ::

        last behaviour    +30 min        +1 h            +7 d ... +60 d             +3 y
        ----|---------------|--------------|----------------|-------|----------------|----
                       session_end   cart_abandoned     silence_7 ..silence_60    expired

    A device whose behaviour has all gone to its users only expires, and not while it has something on its way.
    """
    timers = [Timer(profile.last + days * DAY_MS, f"silence_{days}") for days in SILENCES] if profile.last else []
    if profile.ids is None or not profile.ids.outgoing:
        timers.append(Timer(max(profile.last, profile.touched) + delays.expiry, EXPIRED))
    if profile.story:
        timers.append(Timer(profile.story[-1].at + delays.session_gap, "session_end"))
    cart = derive.cart(profile)
    if cart.items:
        timers.append(Timer(cart.changed + delays.cart_abandoned, "cart_abandoned"))
    times = derive.order_times(profile)
    gaps = derive.gaps(times) if len(times) > 2 else None
    if gaps:
        timers.append(Timer(times[-1] + int(OVERDUE * gaps[0]), "overdue"))
    return sorted(timer for timer in timers if timer.due > profile.fired)
