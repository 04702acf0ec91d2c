"""Timers make silence visible: what is due for a profile, and when, as a function of its state alone.

`Profile.fired` is the time of the last timer that fired; a timer is due once the clock reaches it, fires once, and a
new behaviour sets later ones. So timers need no store of their own: after a restart they follow from the profiles.
"""

from dataclasses import dataclass
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


_SILENCES = tuple((days * DAY_MS, f"silence_{days}") for days in SILENCES)
_SESSION_END = ["session_end"]


def soonest(profile: Profile, delays: Delays) -> tuple[int, list[str]]:
    """When the next timer is due that has not fired, and which kinds are due then; (0, []) when all have fired.

    ::

        last behaviour    +30 min        +1 h            +7 d ... +60 d             +3 y
        ----|---------------|--------------|----------------|-------|----------------|----
                       session_end   cart_abandoned     silence_7 ..silence_60    expired
    """
    fired, last, story = profile.fired, profile.last, profile.story
    if story and len(profile.orders) < 3:
        # The usual case: nothing but a cart can be due before a session's end.
        end = story[-1].at + delays.session_gap
        if end > fired and not (profile.cart and fired < profile.cart[-1].at + delays.cart_abandoned <= end):
            return end, _SESSION_END
    soon, kinds = max(last, profile.touched) + delays.expiry, [EXPIRED]
    if soon <= fired:
        soon, kinds = 0, []
    for due, kind in _candidates(profile, delays):
        if due > fired:
            if due < soon or not soon:
                soon, kinds = due, [kind]
            elif due == soon:
                kinds.append(kind)
    return soon, sorted(kinds)


def _candidates(profile: Profile, delays: Delays) -> list[tuple[int, str]]:
    fired, last, cart = profile.fired, profile.last, profile.cart
    found = []
    if profile.story:
        found.append((profile.story[-1].at + delays.session_gap, _SESSION_END[0]))
    for silence, kind in _SILENCES:
        if last + silence > fired:
            found.append((last + silence, kind))
            break
    if cart and cart[-1].at > profile.settled:
        due = cart[-1].at + delays.cart_abandoned
        if due > fired and derive.cart(profile).items:
            found.append((due, "cart_abandoned"))
    if len(profile.orders) > 2:
        times = derive.order_times(profile)
        gaps = derive.gaps(times) if len(times) > 2 else None
        if gaps:
            found.append((times[-1] + int(OVERDUE * gaps[0]), "overdue"))
    return found
