"""Timers make silence visible: what is due for a profile, and when, as a function of its state alone.

`Profile.fired` is the time of the last timer that fired; a timer is due once the clock reaches it, fires once, and a
new behaviour sets later ones. So timers need no store of their own: after a restart they follow from the profiles.
"""

from dataclasses import dataclass

from schemas.features import DAY_MS
from stream.features.profile import SEEN_DAYS, Profile

SILENCES = (7, 14, 30, 60)
EXPIRED = "expired"
SESSION_END = "session_end"
CART_ABANDONED = "cart_abandoned"


@dataclass(frozen=True, slots=True)
class Delays:
    """How long each silence must last, in ms."""

    session_gap: int = 1_800_000
    cart_abandoned: int = 3_600_000
    expiry: int = 1_095 * DAY_MS
    device: int = SEEN_DAYS * DAY_MS


_NEVER = 1 << 62
_SILENCES = tuple((days * DAY_MS, f"silence_{days}") for days in SILENCES)


def soonest(profile: Profile, delays: Delays) -> tuple[int, str]:
    """When the next timer is due that has not fired, and its kind; (0, "") when all have fired.

    ::

        last behaviour    +30 min        +1 h            +7 d ... +60 d             +3 y
        ----|---------------|--------------|----------------|-------|----------------|----
                       session_end   cart_abandoned     silence_7 ..silence_60    expired

    Of several kinds due in the same millisecond the one that says most fires, a cart before a session's end. Whether a
    cart still holds anything is asked when it fires: most are moved on before. A device whose behaviour has all gone to
    its users only expires, as soon as repeats are no longer known, and not while it has something on its way.
    """
    fired, last = profile.fired, profile.last
    soon, kind = max(last, profile.touched) + (delays.expiry if last else delays.device), EXPIRED
    if soon <= fired or (profile.ids is not None and profile.ids.outgoing):
        soon, kind = _NEVER, ""
    for silence, name in _SILENCES if last else ():
        if fired < last + silence:
            if last + silence <= soon:
                soon, kind = last + silence, name
            break
    due = profile.overdue
    if fired < due <= soon:
        soon, kind = due, "overdue"
    if profile.story:
        due = profile.story[-1].at + delays.session_gap
        if fired < due <= soon:
            soon, kind = due, SESSION_END
    if profile.cart:
        changed = profile.cart[-1].at
        due = changed + delays.cart_abandoned
        if fired < due <= soon and changed > profile.settled:
            soon, kind = due, CART_ABANDONED
    return (soon, kind) if kind else (0, "")
