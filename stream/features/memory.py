"""What a profile's bounded memory gives up: repeats, and changes of orders, that it can no longer recognise."""

from schemas.behaviours import Behaviour
from schemas.event import Event
from schemas.features import DAY_MS
from stream.features.apply import ORDER_CHANGES
from stream.features.profile import LEDGER, SEEN, SEEN_DAYS, Profile


def beyond(profile: Profile, event: Event) -> bool:
    """Whether this event, about to be applied, may repeat or change something that the profile has forgotten.

    A message that is counted twice lies, both times, no later than the customer's newest behaviour, and is not in her
    memory, which is full or does not reach back so far; an order that is counted twice lies no later than her newest
    order. So the events of which this is true are at least as many as those counted wrongly, and in a log that is in
    order there are none.
    """
    if event.message in profile.seen:
        return False
    reach = profile.last - SEEN_DAYS * DAY_MS
    if event.at <= profile.last and (len(profile.seen) >= SEEN or event.at < reach):
        return True
    if event.behaviour not in ORDER_CHANGES or len(profile.orders) < LEDGER or event.order in profile.orders:
        return False
    return event.behaviour != Behaviour.ORDER or event.at <= profile.settled
