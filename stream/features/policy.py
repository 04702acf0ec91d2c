"""When a customer is worth scoring: on a meaningful change, at most once per debounce, or when silence speaks."""

from schemas.behaviours import Behaviour
from schemas.event import Event
from stream.features import derive
from stream.features.profile import Profile
from stream.features.timers import CART_ABANDONED, SESSION_END

ENGAGED_DEPTH = 4
VISIT_DEPTH = 2
# These change what is to be done at once; the others wait for the debounce.
_AT_ONCE = {Behaviour.ORDER: "order", Behaviour.REVIEW: "review"}
_DEBOUNCED = {Behaviour.CHECKOUT: "checkout", Behaviour.CART_ADD: "cart"}
_BROWSING = frozenset({Behaviour.VIEW, Behaviour.CLICK, Behaviour.SEARCH, Behaviour.WISHLIST, Behaviour.CART_VIEW})


def on_event(profile: Profile, event: Event, debounce_ms: int, session_gap_ms: int) -> str | None:
    """The trigger with which to score after this event, or None."""
    at_once = _AT_ONCE.get(event.behaviour)
    if at_once:
        return at_once
    if profile.last - profile.scored < debounce_ms:
        return None
    debounced = _DEBOUNCED.get(event.behaviour)
    if debounced:
        return debounced
    if event.behaviour in _BROWSING and len(derive.session(profile.story, session_gap_ms)) >= ENGAGED_DEPTH:
        return "engaged"
    return None


def on_timer(profile: Profile, kind: str, session_gap_ms: int) -> bool:
    """Whether this silence is worth scoring.

    A session's end is if it was a visit that no score has seen, a cart's if it still holds anything.
    """
    if kind == CART_ABANDONED:
        return bool(derive.cart(profile).items)
    if kind == SESSION_END:
        session = derive.session(profile.story, session_gap_ms)
        return len(session) >= VISIT_DEPTH and profile.scored < session[0].at
    return True
